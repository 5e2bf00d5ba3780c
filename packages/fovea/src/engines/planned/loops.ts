/**
 * @file Gathers steps into loops over slices of the batch: each thread does all steps of a loop on one slice after
 * another, so that a step finds in the cache what the one before wrote. Knows buffers, not what steps compute.
 */
import type { Buffer, LoweredStep } from './steps.js'

/** Steps that run slice by slice, or one that all threads share (`slices` 0). */
export interface Loop {
  readonly slices: number
  readonly imagesPerSlice: number
  readonly steps: readonly LoweredStep[]
}

/**
 * The loops of a list of steps, in an order that gives the same results. A sliced step joins the open loop unless it needs
 * the whole of what a step there writes, such as the sums over the batch. A shared step goes before the open loop where it
 * depends on nothing in it, else behind it.
 */
export function gatherLoops(steps: readonly LoweredStep[]): Loop[] {
  const loops: Loop[] = []
  let open = new Group()
  let behind = new Group()
  const flush = (): void => {
    const [first] = open.steps
    if (first !== undefined)
      loops.push({ slices: first.slices, imagesPerSlice: first.imagesPerSlice, steps: open.steps })
    loops.push(...behind.steps.map(alone))
    open = new Group()
    behind = new Group()
  }
  for (const step of steps) {
    if (step.slices > 0) {
      if (!open.joins(step) || behind.conflicts(step)) flush()
      open.add(step)
    } else if (open.conflicts(step) || behind.conflicts(step)) {
      behind.add(step)
    } else {
      loops.push(alone(step))
    }
  }
  flush()
  return loops
}

const alone = (step: LoweredStep): Loop => ({ slices: 0, imagesPerSlice: 0, steps: [step] })

/** Steps, and for each buffer they write or read whether they do so by slices only. */
class Group {
  readonly steps: LoweredStep[] = []
  readonly #written = new Map<Buffer, boolean>()
  readonly #read = new Map<Buffer, boolean>()

  add(step: LoweredStep): void {
    this.steps.push(step)
    for (const [i, operand] of step.operands.entries()) {
      if (operand === undefined) continue
      const { buffer, sliced } = operand
      const map = step.writes.includes(i) ? this.#written : this.#read
      map.set(buffer, sliced && map.get(buffer) !== false)
    }
  }

  /** Whether the step must keep its place behind these: one writes what the other touches. */
  conflicts(step: LoweredStep): boolean {
    return step.operands.some(
      (operand, i) =>
        operand !== undefined &&
        (this.#written.has(operand.buffer) || (step.writes.includes(i) && this.#read.has(operand.buffer))),
    )
  }

  /** Whether the step can follow these slice by slice: of what both touch, each slice needs its own part only. */
  joins(step: LoweredStep): boolean {
    const [first] = this.steps
    if (first !== undefined && first.slices !== step.slices) return false
    return step.operands.every((operand, i) => {
      if (operand === undefined || operand.buffer.perThread) return true
      const written = this.#written.get(operand.buffer)
      const read = step.writes.includes(i) ? this.#read.get(operand.buffer) : undefined
      if (written === undefined && read === undefined) return true
      return operand.sliced && written !== false && read !== false
    })
  }
}
