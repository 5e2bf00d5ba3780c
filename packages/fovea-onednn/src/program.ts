/** @file A program of the native engine: its plan runs on the addon's own thread, and can be measured step by step. */
import {
  type Machine,
  type Node,
  opDefinition,
  type Plan,
  type PlanLeaf,
  PlannedProgram,
  type PlanStep,
  type Program,
  REORDER,
} from 'fovea/engine'
import type { NativePlan, NativeStep } from './addon.js'

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

/** Kernels of ours that do what a convolution would, with as many products. */
const MULTIPLY_ADDS: readonly string[] = [
  ...['weightGradient', 'depthwiseWeightGradient', 'integerDepthwise'],
  ...['convolution', 'convolutionInputGradient', 'convolutionWeightGradient', 'integerConvolution'],
  ...['depthwiseConvolution', 'depthwiseInputGradient'],
]

/** A plan on the native side. */
class NativeMachine implements Machine {
  profiling = false

  constructor(
    readonly native: NativePlan,
    { memory, buffers, loops }: Plan,
  ) {
    native.build(
      memory.arenaBytes,
      memory.stateBytes,
      buffers.map(({ state, offset, bytes, threadStride }) => [state ? 1 : 0, offset, bytes, threadStride]),
      loops.map(loop => ({ ...loop, steps: loop.steps.map(nativeStep) })),
    )
  }

  read: Machine['read'] = (place, target) => this.native.read(...nativePlace(place), target)
  write: Machine['write'] = (place, source) => this.native.write(...nativePlace(place), source)
  run: Machine['run'] = refresh => this.native.run(this.profiling, refresh)
  dispose: Machine['dispose'] = () => this.native.dispose()
}

export class NativeProgram extends PlannedProgram implements OnednnProgram {
  readonly #machine: NativeMachine
  readonly #steps: readonly PlanStep[]

  constructor(native: NativePlan, plan: Plan) {
    const machine = new NativeMachine(native, plan)
    super(plan, machine)
    this.#machine = machine
    this.#steps = plan.loops.flatMap(({ steps }) => steps)
  }

  get profiling(): boolean {
    return this.#machine.profiling
  }

  set profiling(measured: boolean) {
    this.#machine.profiling = measured
  }

  profile(): StepProfile[] {
    this.lifetime.checkIdle()
    const executions: { thread: number; start: number; duration: number }[][] = this.#steps.map(() => [])
    const events = this.#machine.native.events()
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
