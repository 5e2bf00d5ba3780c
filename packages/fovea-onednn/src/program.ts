/** @file A program of the native engine: feeds a native plan, runs it on the addon's own thread, reads what came of it. */
import {
  EngineError,
  elements,
  encodeHalf,
  type Feeds,
  formatShape,
  type HostArray,
  InvalidArgumentError,
  inputNodes,
  isHalf,
  isState,
  Lifetime,
  type Node,
  type Outputs,
  opDefinition,
  type Program,
  type TensorType,
  typeOf,
} from 'fovea/engine'
import type { NativePlan } from './addon.js'
import { type Lowering, REORDER } from './lowering.js'
import type { Buffer, Step } from './steps.js'

/** What one step of a program does, and when it did so in the last profiled run. */
export interface StepProfile {
  readonly node: Node
  /** A kernel's name, or oneDNN's name of the implementation. */
  readonly implementation: string
  /** Of the convolutions and matrix products. */
  readonly multiplyAdds: number
  /** That it reads and writes, from wherever they are. */
  readonly bytes: number
  /** One for each thread and slice, in seconds from the run's begin. */
  readonly executions: readonly { readonly thread: number; readonly start: number; readonly duration: number }[]
}

/** A program of this engine: adds a profile to the common interface. */
export interface OnednnProgram extends Program {
  /** Whether the runs that follow are measured step by step. */
  profiling: boolean
  /** The steps of the last measured run, in their order. */
  profile(): StepProfile[]
}

/** Kernels of ours that do what a convolution would. */
const MULTIPLY_ADDS = ['weightGradient', 'depthwiseWeightGradient']

export class NativeProgram implements OnednnProgram {
  profiling = false
  readonly #lifetime = new Lifetime()
  #stateWritten = true
  readonly #inputs: readonly Node[]
  readonly #states: ReadonlyMap<string, Node>

  constructor(
    readonly plan: NativePlan,
    readonly lowering: Lowering,
    readonly index: ReadonlyMap<Buffer, number>,
    /** In the order in which they run. */
    readonly steps: readonly Step[],
    readonly memory: Program['memory'],
  ) {
    this.#inputs = inputNodes(lowering.graph)
    this.#states = new Map(lowering.graph.nodes.filter(isState).map(node => [node.name, node]))
    for (const node of lowering.graph.nodes) {
      if (node.op === 'constant') this.#fill(node, node.attrs['value'] as number)
    }
  }

  run(feeds: Feeds): Promise<Outputs> {
    return this.#lifetime.run(() => this.#run(feeds))
  }

  async #run(feeds: Feeds): Promise<Outputs> {
    const names = this.#inputs.map(node => node.name)
    const unknown = Object.keys(feeds).find(name => !names.includes(name))
    if (unknown !== undefined) {
      throw new InvalidArgumentError(`the graph has no input '${unknown}'; its inputs are ${names.join(', ')}`)
    }
    const arrays = this.#inputs.map(node => hostArray(node, feeds[node.name]))
    for (const [i, node] of this.#inputs.entries()) this.plan.write(...this.#place(node), arrays[i])
    const refresh = this.#stateWritten
    await this.plan.run(this.profiling, refresh)
    if (refresh) this.#stateWritten = false
    const outputs: Record<string, HostArray> = {}
    for (const [name, value] of this.lowering.graph.outputs) {
      outputs[name] = emptyArray(value.type)
      this.plan.read(this.index.get(this.lowering.read(value).buffer)!, -1, -1, outputs[name])
    }
    return outputs
  }

  async read(name: string): Promise<HostArray> {
    this.#lifetime.checkIdle()
    const node = this.#state(name)
    const array = emptyArray(node.outputs[0])
    this.plan.read(...this.#place(node), array)
    return array
  }

  async write(name: string, data: HostArray): Promise<void> {
    this.#lifetime.checkIdle()
    const node = this.#state(name)
    this.plan.write(...this.#place(node), hostArray(node, data))
    this.#stateWritten = true
  }

  profile(): StepProfile[] {
    this.#lifetime.checkIdle()
    const executions: { thread: number; start: number; duration: number }[][] = this.steps.map(() => [])
    const events = this.plan.events()
    for (let i = 0; i < events.length; i += 4) {
      executions[events[i]].push({ thread: events[i + 1], start: events[i + 2], duration: events[i + 3] })
    }
    return this.steps.map((step, i) => {
      const { node, implementation } = step
      const types = node.inputs.map(input => input.type)
      const arithmetic =
        !implementation.startsWith(REORDER) && (step.primitive !== undefined || MULTIPLY_ADDS.includes(implementation))
      const multiplyAdds = arithmetic ? (opDefinition(node.op).multiplyAdds?.(types, node.outputs, node.attrs) ?? 0) : 0
      const lasting = step.operands.flatMap(operand => (operand && !operand.buffer.scratch ? operand.buffer.bytes : []))
      const bytes = lasting.reduce((sum, value) => sum + value, 0)
      return { node, implementation, multiplyAdds, bytes, executions: executions[i] }
    })
  }

  dispose(): void {
    this.#lifetime.dispose()
    this.plan.dispose()
  }

  #state(name: string): Node {
    const node = this.#states.get(name)
    if (node === undefined) throw new InvalidArgumentError(`the program has no parameter or buffer '${name}'`)
    return node
  }

  /** Buffer, layout and dense layout of a state; two equal numbers mean a plain copy. */
  #place(node: Node): [number, number, number] {
    const { buffer, layout, groups } = this.lowering.state(node)
    const index = this.index.get(buffer)!
    return layout === 'dense' ? [index, -1, -1] : [index, layout, this.lowering.denseLayoutOf(node, groups)]
  }

  #fill(node: Node, value: number): void {
    const [{ shape, dtype }] = node.outputs
    const bits = isHalf(dtype) && encodeHalf(new Array<number>(elements(shape)).fill(value), dtype)
    this.plan.write(...this.#place(node), bits || emptyArray(node.outputs[0]).fill(value))
  }
}

function emptyArray({ shape, dtype }: TensorType): HostArray {
  const length = elements(shape)
  if (dtype === 'int32') return new Int32Array(length)
  if (dtype === 'uint8') return new Uint8Array(length)
  if (dtype === 'float32') return new Float32Array(length)
  throw new EngineError(`${dtype} cannot leave the oneDNN engine: cast it to float32 in the graph`)
}

/** Checks what is fed or written against the node's type; turns a number into a scalar. */
function hostArray(node: Node, data: HostArray | number | undefined): HostArray {
  const { shape, dtype } = node.outputs[0]
  const expected = `${dtype} ${formatShape(shape)}`
  if (data === undefined) throw new InvalidArgumentError(`input '${node.name}' is missing: expected ${expected}`)
  const own = emptyArray(node.outputs[0])
  if (typeof data === 'number' && shape.length === 0) return own.fill(data)
  const type = typeOf(data)
  const fits = type === typeOf(own) || (type === 'Float64Array' && dtype === 'float32')
  if (typeof data === 'number' || !fits) {
    throw new InvalidArgumentError(`'${node.name}' expects ${expected}, got a ${type}`)
  }
  if (data.length !== own.length) {
    throw new InvalidArgumentError(
      `'${node.name}' expects ${expected} (${own.length} values), got ${data.length} values`,
    )
  }
  // The native side takes no shared memory: another thread may write to it meanwhile.
  if (type === typeOf(own) && typeOf(data.buffer) !== 'SharedArrayBuffer') return data
  own.set(data)
  return own
}
