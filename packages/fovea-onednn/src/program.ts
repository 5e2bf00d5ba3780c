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
  type Program,
  stateNameOf,
  type TensorType,
  unknownName,
  zeroArray,
} from 'fovea/engine'
import type { NativePlan } from './addon.js'
import { type Lowering, REORDER } from './lowering.js'
import { asNumbers, inMemory, memoryFor } from './memory-arrays.js'
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
    /** Where each output of the graph is read. */
    readonly outputs: ReadonlyMap<string, Buffer>,
    /** In the order in which they run. */
    readonly steps: readonly Step[],
    readonly memory: Program['memory'],
  ) {
    this.#inputs = inputNodes(lowering.graph)
    this.#states = new Map(lowering.graph.nodes.filter(isState).map(node => [node.name, node]))
    for (const node of lowering.graph.nodes) {
      if (node.op === 'constant') this.#write(node, fillConstant(zeroArray(node.outputs[0]), node))
    }
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
    await this.plan.run(this.profiling, refresh)
    if (refresh) this.#stateWritten = false
    return Object.fromEntries(
      [...this.lowering.graph.outputs].map(([name, value]) => {
        const place = [this.index.get(this.outputs.get(name)!)!, -1, -1] as const
        return [name, this.#read(place, value.type)]
      }),
    )
  }

  async read(name: string): Promise<HostArray> {
    this.#lifetime.checkIdle()
    const node = this.#state(name)
    return this.#read(this.#place(node), node.outputs[0])
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
    const node = this.#states.get(stateNameOf(name))
    if (node === undefined) throw unknownName('parameter or buffer', name, [...this.#states.keys()])
    return node
  }

  /** Buffer, layout and dense layout of a state; two equal numbers mean a plain copy. */
  #place(node: Node): [number, number, number] {
    const { buffer, layout, groups } = this.lowering.storage.leafOf(node)
    const index = this.index.get(buffer)!
    const [{ shape, dtype }] = node.outputs
    return layout === 'dense' ? [index, -1, -1] : [index, layout, this.lowering.layouts.dense(shape, dtype, groups)]
  }

  #write(node: Node, values: HostArray | number): void {
    this.plan.write(...this.#place(node), inMemory(node.outputs[0], values))
  }

  #read(place: readonly [number, number, number], type: TensorType): HostArray {
    const array = memoryFor(type)
    this.plan.read(...place, array)
    return asNumbers(type, array)
  }
}

function checkFeed({ name, outputs: [type] }: Node, fed: HostArray | number | undefined): void {
  if (fed === undefined) {
    throw new InvalidArgumentError(`input '${name}' (${type.dtype} ${formatShape(type.shape)}) is not fed`)
  }
  checkArray(`feed '${name}'`, type, fed)
}
