/** @file A plan as plain data, for JSON, and as text, a step a line: what `fovea bench --plan` shows. */
import { type Fields, namedFields } from './kernels/emit.js'
import type { Plan, PlanStep } from './plan.js'

/** A plan as plain data: buffers by their number, nodes by their name. */
export interface PlanDescription {
  readonly threads: number
  readonly memory: Plan['memory']
  readonly loops: readonly {
    /** 0: the threads share the step. */
    readonly slices: number
    readonly imagesPerSlice: number
    /** Buffers that each thread clears first. */
    readonly clears: readonly number[]
    readonly steps: readonly StepDescription[]
  }[]
  readonly buffers: Plan['buffers']
  readonly outputs: Readonly<Record<string, number>>
}

export interface StepDescription {
  readonly node: string
  readonly op: string
  readonly implementation: string
  /** Numbers of buffers. */
  readonly reads: readonly number[]
  readonly writes: readonly number[]
  /** Of a kernel: by name, as it is given. */
  readonly fields?: Fields
  /** Done again only after state is written. */
  readonly once?: true
}

export const describePlan = ({ threads, memory, loops, buffers, outputs }: Plan): PlanDescription => ({
  ...{ threads, memory },
  loops: loops.map(({ slices, imagesPerSlice, zeroed, steps }) => ({
    ...{ slices, imagesPerSlice, clears: zeroed, steps: steps.map(describeStep) },
  })),
  ...{ buffers, outputs: Object.fromEntries(outputs) },
})

function describeStep({ node, run, implementation, operands, writes, ints, floats, once }: PlanStep): StepDescription {
  const numbers = (written: boolean): number[] =>
    operands.flatMap((operand, i) => (operand && writes.includes(i) === written ? operand.buffer : []))
  return {
    ...{ node: node.name, op: node.op, implementation, reads: numbers(false), writes: numbers(true) },
    ...('kernel' in run && { fields: namedFields(run.kernel, ints, floats) }),
    ...(once && { once }),
  }
}

const SHARED = 'all threads together'

/** A line for each step and buffer. Equal plans print equally. */
export function printPlan(plan: Plan): string {
  const { threads, memory, loops, buffers, outputs } = describePlan(plan)
  const { arenaBytes, stateBytes } = memory
  const all = (numbers: readonly number[]): string => numbers.map(number => `#${number}`).join(' ')
  const stepLine = ({ node, op, implementation, reads, writes, fields = {}, once }: StepDescription): string => {
    const given = Object.entries(fields).map(
      ([name, value]) => ` ${name}=${Array.isArray(value) ? `[${value}]` : value}`,
    )
    return `  ${node} (${op}): ${implementation} ${all(reads)} -> ${all(writes)}${given.join('')}${once ? ', once' : ''}`
  }
  const loopLines = loops.flatMap(({ slices, imagesPerSlice, clears, steps }, i) => {
    const clearing = clears.length > 0 ? `, clears ${all(clears)}` : ''
    const head = `${slices > 0 ? `${slices} slices of ${imagesPerSlice}` : SHARED}${clearing}`
    const goesOn = head === SHARED && loops[i - 1]?.slices === 0
    return [...(goesOn ? [] : [head]), ...steps.map(stepLine)]
  })
  const bufferLines = buffers.map(({ state, offset, bytes, threadStride, holds }, i) => {
    const each = threadStride > 0 ? `, ${threadStride} from thread to thread` : ''
    return `  #${i} ${state ? 'state' : 'arena'} at ${offset}, ${bytes} bytes${each}${holds.length > 0 ? `: ${holds.join(', ')}` : ''}`
  })
  return [
    `${threads} thread${threads === 1 ? '' : 's'}, ${arenaBytes} bytes of arena, ${stateBytes} bytes of state`,
    ...loopLines,
    'buffers',
    ...bufferLines,
    ...Object.entries(outputs).map(([name, number]) => `output ${name} = #${number}`),
  ].join('\n')
}
