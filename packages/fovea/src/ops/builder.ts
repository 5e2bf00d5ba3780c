/**
 * @file Builds graphs: gives nodes unique names, infers their types at once (so an error points at the call that is
 * wrong) and drops what no output needs. Knows operators only as definitions passed to `emit`.
 */
import { InvalidArgumentError, ShapeError } from '../errors.js'
import { type Attributes, type Graph, type Node, outputsOf, type Value } from '../graph/graph.js'
import type { Initializer } from '../graph/initializer.js'
import {
  type DType,
  elements,
  formatShape,
  integerRange,
  isFloat,
  type Shape,
  sameShape,
  type TensorType,
} from '../graph/types.js'
import type { OpDefinition } from './define.js'

/** Makes a graph node by node: each is checked and typed as it is added, so a built graph is a valid one. */
export class GraphBuilder {
  readonly #nodes: Node[] = []
  readonly #names = new Set<string>()
  readonly #outputs = new Map<string, Value>()
  readonly #updates = new Map<string, Value>()

  /** A tensor fed at every run. */
  input(name: string, shape: Shape, dtype: DType = 'float32'): Value {
    return this.#leaf('input', name, { shape, dtype }, {})
  }

  /**
   * State that training changes by gradient, if it is float32.
   * @throws InvalidArgumentError for integers that do not start as zeros or ones
   */
  parameter(name: string, shape: Shape, initializer: Initializer, dtype: DType = 'float32'): Value {
    checkStart(name, initializer, dtype)
    return this.#leaf('parameter', name, { shape, dtype }, { initializer })
  }

  /**
   * State that is not trained: running statistics, optimizer slots.
   * @throws InvalidArgumentError for integers that do not start as zeros or ones
   */
  buffer(name: string, shape: Shape, initializer: Initializer, dtype: DType = 'float32'): Value {
    checkStart(name, initializer, dtype)
    return this.#leaf('buffer', name, { shape, dtype }, { initializer })
  }

  /**
   * A small tensor that never changes, of these numbers or filled with one. It is saved as text: what is large is a buffer.
   * @throws InvalidArgumentError for too many or too few, or numbers that the type does not hold
   */
  constant(value: number | ArrayLike<number>, shape: Shape = [], dtype: DType = 'float32'): Value {
    const values = typeof value === 'number' ? value : Array.from(value)
    checkConstant(values, { shape, dtype })
    return this.#leaf('constant', this.#unique('constant'), { shape, dtype }, { value: values })
  }

  /**
   * Adds a node and returns all its outputs.
   * @param name where it stands in the model (`layer1.0.conv1`); the operator's name when left out
   * @throws ShapeError naming the operator and node
   */
  emitAll<A extends Attributes>(
    op: OpDefinition<A>,
    inputs: readonly Value[],
    attrs: NoInfer<A>,
    name: string = op.name,
  ): Value[] {
    const unique = this.#unique(name)
    let outputs: readonly TensorType[]
    try {
      outputs = op.infer(
        inputs.map(input => input.type),
        attrs,
      )
    } catch (error) {
      if (error instanceof ShapeError) throw new ShapeError(`${op.name} '${unique}': ${error.message}`)
      throw error
    }
    const node: Node = { op: op.name, name: unique, inputs: [...inputs], attrs, outputs }
    this.#nodes.push(node)
    return outputsOf(node)
  }

  /** Adds a node and returns its first output. */
  emit<A extends Attributes>(op: OpDefinition<A>, inputs: readonly Value[], attrs: NoInfer<A>, name?: string): Value {
    return this.emitAll(op, inputs, attrs, name)[0]
  }

  /** Names a value that a run returns. */
  output(name: string, value: Value): void {
    if (this.#outputs.has(name)) throw new InvalidArgumentError(`the graph already has an output '${name}'`)
    this.#outputs.set(name, value)
  }

  /** Assigns `value` to the state `state` after each run. */
  update(state: Value, value: Value): void {
    const { name } = state.node
    const differ = (expected: string, got: string): never => {
      throw new ShapeError(`update of '${name}': the state is ${expected}, the new value is ${got}`)
    }
    const [old, next] = [state.type, value.type]
    if (!sameShape(old.shape, next.shape)) differ(formatShape(old.shape), formatShape(next.shape))
    if (old.dtype !== next.dtype) differ(old.dtype, next.dtype)
    this.#updates.set(name, value)
  }

  /** What is assigned to a state so far. */
  nextOf(state: Value): Value | undefined {
    return this.#updates.get(state.node.name)
  }

  /** The graph of all that its outputs and updates need, in the order of construction. Inputs always stay. */
  build(): Graph {
    const live = new Set<Node>(this.#nodes.filter(node => node.op === 'input'))
    const visit = [...this.#outputs.values(), ...this.#updates.values()].map(value => value.node)
    for (let node = visit.pop(); node !== undefined; node = visit.pop()) {
      if (live.has(node) && node.op !== 'input') continue
      live.add(node)
      for (const input of node.inputs) if (!live.has(input.node)) visit.push(input.node)
    }
    const updated = this.#nodes.filter(node => this.#updates.has(node.name))
    for (const node of updated) live.add(node)
    return { nodes: this.#nodes.filter(node => live.has(node)), outputs: this.#outputs, updates: this.#updates }
  }

  #leaf(op: string, name: string, type: TensorType, attrs: Attributes): Value {
    if (op !== 'constant') {
      if (this.#names.has(name)) throw new InvalidArgumentError(`the graph already has a node named '${name}'`)
      this.#names.add(name)
    }
    const node: Node = { op, name, inputs: [], attrs, outputs: [type] }
    this.#nodes.push(node)
    return { node, index: 0, type }
  }

  #unique(name: string): string {
    let unique = name
    for (let i = 2; this.#names.has(unique); i++) unique = `${name}:${i}`
    this.#names.add(unique)
    return unique
  }
}

/** Random numbers would be rounded to nothing. */
function checkStart(name: string, { type }: Initializer, dtype: DType): void {
  if (isFloat(dtype) || type === 'zeros' || type === 'ones') return
  throw new InvalidArgumentError(`'${name}' is ${dtype}: it starts as zeros or ones, not as ${type}`)
}

function checkConstant(value: number | readonly number[], { shape, dtype }: TensorType): void {
  const values = typeof value === 'number' ? [value] : value
  const what = `a constant of ${dtype} ${formatShape(shape)}`
  if (typeof value !== 'number' && values.length !== elements(shape)) {
    throw new InvalidArgumentError(`${what} has ${elements(shape)} elements, got ${values.length}`)
  }
  const range = integerRange(dtype)
  if (range === undefined) return
  const other = values.find(x => !(Number.isInteger(x) && x >= range[0] && x <= range[1]))
  if (other !== undefined) {
    throw new InvalidArgumentError(`${what} holds whole numbers from ${range[0]} to ${range[1]}, got ${other}`)
  }
}
