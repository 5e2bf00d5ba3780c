/**
 * @file The reference engine: runs a graph node by node with the operators' plain TypeScript. Slow, obviously right, runs
 * anywhere; in float64 it is what gradients and parity are checked with. Knows no operator.
 */
import { EngineError, InvalidArgumentError, unknownName } from '../../errors.js'
import { fillConstant, type HostArray } from '../../graph/arrays.js'
import { isHalf } from '../../graph/float16.js'
import { type Graph, inputNodes, isLeaf, type Node, stateNodes, type Value } from '../../graph/graph.js'
import { graphOf } from '../../graph/graph-setting.js'
import { formatShape } from '../../graph/types.js'
import type { Tensor } from '../../ops/define.js'
import { isOpName, opDefinition } from '../../ops/index.js'
import { group, type Rows } from '../../settings/group.js'
import { choice } from '../../settings/kinds.js'
import type { CompileOptions, Engine, Feeds, Outputs, Program } from '../engine.js'
import { compileOptions, feedsOf, stateNameOf, type WantedOutputs, wantedOutputs } from '../engine-setting.js'
import { Lifetime } from '../lifetime.js'
import { checkMemory } from '../memory.js'
import { type FloatType, heldBytes, roundToType, toTensor, zeros } from './tensors.js'

/** In which type the reference engine computes. */
export interface ReferenceOptions {
  /** The type in which floats are held and computed. Default `float32`. */
  readonly precision?: FloatType
}

const referenceOptions = group('the reference engine', {
  precision: choice('the type in which floats are held and computed', ['float32', 'float64']).default('float32'),
} satisfies Rows<ReferenceOptions>)

/**
 * `float64` returns and reads Float64Arrays; it is for checks, not for training.
 * @throws SettingError for another precision
 */
export function referenceEngine(options: ReferenceOptions = {}): Engine {
  const { precision } = referenceOptions.parse(options, '')
  return {
    name: 'reference',
    description: `plain TypeScript, ${precision}, one thread`,
    threads: 1,
    weightBits: 8,
    arithmetic: dtype => {
      if (dtype === precision || dtype === 'int8') return 'native'
      return isHalf(dtype) || (dtype === 'float32' && precision === 'float64') ? 'widened' : 'none'
    },
    compile: async (graph, options = {}) =>
      new ReferenceProgram(graphOf(graph), precision, compileOptions.parse(options, '')),
  }
}

/** How long nodes may run, in milliseconds, before the event loop gets a turn. */
const turn = 16

class ReferenceProgram implements Program {
  readonly memory: Program['memory']
  readonly #graph: Graph
  readonly #precision: FloatType
  /** Values that live between runs: state and constants. */
  readonly #kept = new Map<Node, Tensor>()
  readonly #states: ReadonlyMap<string, Node>
  /** For each node, those whose values nothing reads after it. */
  readonly #freedAfter: ReadonlyMap<Node, readonly Node[]>
  readonly #lifetime = new Lifetime()

  constructor(graph: Graph, precision: FloatType, options: CompileOptions) {
    for (const node of graph.nodes) {
      if (!isLeaf(node) && !isOpName(node.op)) {
        throw new EngineError(`the reference engine has no operator '${node.op}' (node '${node.name}')`)
      }
    }
    this.#graph = graph
    this.#precision = precision
    this.#states = new Map(stateNodes(graph).map(node => [node.name, node]))
    this.#freedAfter = lastUses(graph)
    this.memory = this.#measure()
    checkMemory(this.memory, graph, options)
    for (const node of graph.nodes) {
      if (!keeps(node)) continue
      const tensor = zeros(node.outputs[0], precision)
      if (node.op === 'constant') fillConstant(tensor.data, node)
      roundToType(tensor)
      this.#kept.set(node, tensor)
    }
  }

  run(feeds: Feeds, outputs?: readonly string[]): Promise<Outputs> {
    return this.#lifetime.run(() => this.#run(feedsOf(feeds), wantedOutputs(this.#graph, outputs)))
  }

  async #run(feeds: Feeds, wanted: WantedOutputs): Promise<Outputs> {
    const values = this.#feed(feeds)
    let start = performance.now()
    for (const node of this.#graph.nodes) {
      if (!isLeaf(node)) {
        if (performance.now() - start > turn) {
          await new Promise<void>(resolve => setTimeout(resolve, 0))
          this.#lifetime.checkNotDisposed()
          start = performance.now()
        }
        values.set(node, this.#evaluate(node, values))
      }
      for (const done of this.#freedAfter.get(node) ?? []) values.delete(done)
    }
    const result = ({ node, index }: Value) => values.get(node)![index]
    const outputs = wanted.map(([name, value]) => [name, result(value).data.slice()] as const)
    // Copied before any is assigned: an update may read a state that another one writes.
    const updates = [...this.#graph.updates].map(([name, value]) => [name, result(value).data.slice()] as const)
    for (const [name, data] of updates) this.#state(name).data.set(data)
    return Object.fromEntries(outputs)
  }

  async read(name: string): Promise<HostArray> {
    this.#lifetime.checkIdle()
    return this.#state(name).data.slice()
  }

  async write(name: string, data: HostArray): Promise<void> {
    this.#lifetime.checkIdle()
    const state = this.#state(name)
    state.data.set(toTensor(this.#states.get(name)!, data, this.#precision, 'write').data)
  }

  dispose(): void {
    this.#lifetime.dispose()
    this.#kept.clear()
  }

  /** The values at the start of a run: state, constants and what is fed. */
  #feed(feeds: Feeds): Map<Node, readonly Tensor[]> {
    const inputs = inputNodes(this.#graph)
    const names = inputs.map(node => node.name)
    for (const name of Object.keys(feeds)) if (!names.includes(name)) throw unknownName('input', name, names)
    const values = new Map<Node, readonly Tensor[]>([...this.#kept].map(([node, tensor]) => [node, [tensor]]))
    for (const node of inputs) {
      const fed = feeds[node.name]
      if (fed === undefined) {
        throw new InvalidArgumentError(`input '${node.name}' (${describe(node)}) is not fed`)
      }
      values.set(node, [toTensor(node, fed, this.#precision, 'feed')])
    }
    return values
  }

  #evaluate(node: Node, values: ReadonlyMap<Node, readonly Tensor[]>): readonly Tensor[] {
    const inputs = node.inputs.map(input => values.get(input.node)![input.index])
    const outputs = node.outputs.map(type => zeros(type, this.#precision))
    opDefinition(node.op).reference(inputs, outputs, node.attrs)
    outputs.forEach(roundToType)
    return outputs
  }

  #state(name: string): Tensor {
    const node = this.#states.get(stateNameOf(name))
    if (node === undefined) throw unknownName('parameter or buffer', name, [...this.#states.keys()])
    return this.#kept.get(node)!
  }

  /** The bytes of state, and the most that all other values need at any one time. */
  #measure(): Program['memory'] {
    const bytes = (node: Node) => node.outputs.reduce((sum, type) => sum + heldBytes(type, this.#precision), 0)
    const total = (nodes: readonly Node[]) => nodes.reduce((sum, node) => sum + bytes(node), 0)
    const constants = this.#graph.nodes.filter(node => node.op === 'constant')
    let live = total(constants)
    let arenaBytes = live
    for (const node of this.#graph.nodes) {
      if (!keeps(node)) live += bytes(node)
      arenaBytes = Math.max(arenaBytes, live)
      live -= total(this.#freedAfter.get(node) ?? [])
    }
    return { arenaBytes, stateBytes: total([...this.#states.values()]) }
  }
}

/** Its value lives between runs. */
const keeps = (node: Node): boolean => isLeaf(node) && node.op !== 'input'

const describe = (node: Node): string => `${node.outputs[0].dtype} ${formatShape(node.outputs[0].shape)}`

/** For each node, the nodes whose values are read there for the last time. What a run returns or keeps is not among them. */
function lastUses(graph: Graph): Map<Node, Node[]> {
  const last = new Map<Node, Node>()
  for (const node of graph.nodes)
    for (const read of [node, ...node.inputs.map(input => input.node)]) last.set(read, node)
  for (const value of [...graph.outputs.values(), ...graph.updates.values()]) last.delete(value.node)
  const freed = new Map<Node, Node[]>()
  for (const [node, at] of last) if (!keeps(node)) freed.set(at, [...(freed.get(at) ?? []), node])
  return freed
}
