/** @file A program of the native engine: feeds a native plan, runs it on the addon's own thread, reads what came of it. */
import {
  checkArray,
  type Feeds,
  feedsOf,
  fillConstant,
  formatShape,
  type HostArray,
  InvalidArgumentError,
  inputNodes,
  isState,
  Lifetime,
  type Node,
  type Outputs,
  opDefinition,
  type Plan,
  type PlanLeaf,
  type PlanStep,
  type Program,
  REORDER,
  stateNameOf,
  type TensorType,
  unknownName,
  zeroArray,
} from 'fovea/engine'
import type { NativePlan, NativeStep } from './addon.js'
import { asNumbers, inMemory, memoryFor } from './memory-arrays.js'

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

/** A program of this engine: adds its plan and a profile to the common interface. */
export interface OnednnProgram extends Program {
  readonly plan: Plan
  /** Whether the runs that follow are measured step by step. */
  profiling: boolean
  /** The steps of the last measured run, in their order. */
  profile(): StepProfile[]
}

/** Kernels of ours that do what a convolution would. */
const MULTIPLY_ADDS = ['weightGradient', 'depthwiseWeightGradient', 'integerDepthwise']

export class NativeProgram implements OnednnProgram {
  profiling = false
  readonly #lifetime = new Lifetime()
  #stateWritten = true
  readonly #native: NativePlan
  readonly #steps: readonly PlanStep[]
  readonly #inputs: readonly Node[]
  readonly #states: ReadonlyMap<string, Node>

  constructor(
    native: NativePlan,
    readonly plan: Plan,
  ) {
    const { graph, memory, buffers, loops } = plan
    this.#native = native
    this.#steps = loops.flatMap(({ steps }) => steps)
    this.#inputs = inputNodes(graph)
    this.#states = new Map(graph.nodes.filter(isState).map(node => [node.name, node]))
    native.build(
      memory.arenaBytes,
      memory.stateBytes,
      buffers.map(({ state, offset, bytes, threadStride }) => [state ? 1 : 0, offset, bytes, threadStride]),
      loops.map(loop => ({ ...loop, steps: loop.steps.map(nativeStep) })),
    )
    for (const node of graph.nodes) {
      if (node.op === 'constant') this.#write(node, fillConstant(zeroArray(node.outputs[0]), node))
    }
  }

  get memory(): Program['memory'] {
    return this.plan.memory
  }

  run(feeds: Feeds): Promise<Outputs> {
    return this.#lifetime.run(() => this.#run(feedsOf(feeds)))
  }

  async #run(feeds: Feeds): Promise<Outputs> {
    const names = this.#inputs.map(({ name }) => name)
    for (const name of Object.keys(feeds)) if (!names.includes(name)) throw unknownName('input', name, names)
    for (const node of this.#inputs) checkFeed(node, feeds[node.name])
    for (const node of this.#inputs) this.#write(node, feeds[node.name])
    const refresh = this.#stateWritten
    await this.#native.run(this.profiling, refresh)
    if (refresh) this.#stateWritten = false
    return Object.fromEntries(
      [...this.plan.graph.outputs].map(([name, { type }]) => {
        return [name, this.#read({ buffer: this.plan.outputs.get(name)! }, type)]
      }),
    )
  }

  async read(name: string): Promise<HostArray> {
    this.#lifetime.checkIdle()
    const node = this.#state(name)
    return this.#read(this.plan.leaves.get(node.name)!, node.outputs[0])
  }

  async write(name: string, data: HostArray): Promise<void> {
    this.#lifetime.checkIdle()
    const node = this.#state(name)
    checkArray(`write '${name}'`, node.outputs[0], data)
    this.#write(node, data)
    this.#stateWritten = true
  }

  profile(): StepProfile[] {
    this.#lifetime.checkIdle()
    const executions: { thread: number; start: number; duration: number }[][] = this.#steps.map(() => [])
    const events = this.#native.events()
    for (let i = 0; i < events.length; i += 4) {
      executions[events[i]].push({ thread: events[i + 1], start: events[i + 2], duration: events[i + 3] })
    }
    return this.#steps.map(({ node, run, implementation, bytes }, i) => {
      const types = node.inputs.map(input => input.type)
      const arithmetic =
        !implementation.startsWith(REORDER) && ('primitive' in run || MULTIPLY_ADDS.includes(implementation))
      const multiplyAdds = arithmetic ? (opDefinition(node.op).multiplyAdds?.(types, node.outputs, node.attrs) ?? 0) : 0
      return { node, implementation, multiplyAdds, bytes, executions: executions[i] }
    })
  }

  dispose(): void {
    this.#lifetime.dispose()
    this.#native.dispose()
  }

  #state(name: string): Node {
    const node = this.#states.get(stateNameOf(name))
    if (node === undefined) throw unknownName('parameter or buffer', name, [...this.#states.keys()])
    return node
  }

  #write(node: Node, values: HostArray | number): void {
    this.#native.write(...nativePlace(this.plan.leaves.get(node.name)!), inMemory(node.outputs[0], values))
  }

  #read(place: PlanLeaf, type: TensorType): HostArray {
    const array = memoryFor(type)
    this.#native.read(...nativePlace(place), array)
    return asNumbers(type, array)
  }
}

/** Buffer, layout and dense layout; two equal numbers mean a plain copy. */
const nativePlace = ({ buffer, layout }: PlanLeaf): [number, number, number] =>
  layout === undefined ? [buffer, -1, -1] : [buffer, layout.own, layout.dense]

const nativeStep = ({ run, operands, ints, floats, once }: PlanStep): NativeStep => ({
  ...run,
  buffers: operands.map(operand => operand?.buffer ?? -1),
  strides: operands.map(operand => operand?.stride ?? 0),
  ...{ ints, floats, once },
})

function checkFeed({ name, outputs: [type] }: Node, fed: HostArray | number | undefined): void {
  if (fed === undefined) {
    throw new InvalidArgumentError(`input '${name}' (${type.dtype} ${formatShape(type.shape)}) is not fed`)
  }
  checkArray(`feed '${name}'`, type, fed)
}
