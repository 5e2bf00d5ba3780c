/** @file Lays a plan into memory, word by word, as native/engine.cc reads it: the structs there are those here. */
import { EngineError, type Plan, type PlanOperand, type PlanStep, wasmKernels } from 'fovea/engine'

/** Words of 32 bits, of which some are addresses: counted from the first until it is known where that lies. */
class Words {
  readonly #words: number[] = []
  readonly #addresses: number[] = []

  get bytes(): number {
    return 4 * this.#words.length
  }

  /** @returns where they begin */
  put(values: readonly number[]): number {
    this.#words.push(...values)
    return this.bytes - 4 * values.length
  }

  /** Notes that the word at a place is an address. */
  refer(place: number): void {
    this.#addresses.push(place / 4)
  }

  /** Numbers of 64 bits, aligned. */
  putWide(values: BigInt64Array | Float64Array): number {
    if (this.#words.length % 2 === 1) this.#words.push(0)
    return this.put([...new Uint32Array(values.buffer)])
  }

  writeTo(memory: WebAssembly.Memory, start: number): void {
    for (const at of this.#addresses) this.#words[at] += start
    new Uint32Array(memory.buffer, start, this.#words.length).set(this.#words)
  }
}

const kernelNumbers: ReadonlyMap<string, number> = new Map(wasmKernels.map((name, i) => [name, i]))

/** All steps of a plan for kernels of ours are kernels. */
function kernelNumber(run: PlanStep['run']): number {
  if ('primitive' in run) throw new Error('lay-plan: a step is a primitive')
  return kernelNumbers.get(run.kernel)!
}

/** A plan in memory, before it has a place. */
export interface LaidPlan {
  readonly bytes: number
  /** Where the struct of the plan lies, counted from the begin. */
  readonly offset: number
  writeTo(memory: WebAssembly.Memory, start: number): void
}

/** How far behind the begin of a plan's struct the word lies that cancels a run. */
export const CANCELLED = 12

/** As many as native/engine.cc has places for (kMostOperands), which does not count them. */
const MOST_OPERANDS = 24

/**
 * @param addressOf of a buffer, by its number
 * @throws EngineError for a step with more operands than there are places for
 */
export function layPlan(plan: Plan, addressOf: (buffer: number) => number): LaidPlan {
  const words = new Words()
  /** Puts structs of `size` words, of which some are addresses within the plan. */
  const structs = (rows: readonly (readonly number[])[], addresses: readonly number[]): number => {
    const start = words.put(rows.flat())
    rows.forEach((row, i) => {
      for (const at of addresses) words.refer(start + 4 * (i * row.length + at))
    })
    return start
  }
  const step = ({ node, run, operands, once, ints, floats }: PlanStep): number[] => {
    if (operands.length > MOST_OPERANDS)
      throw new EngineError(
        `${node.op} '${node.name}': a step of it has ${operands.length} operands, the wasm engine takes at most ${MOST_OPERANDS}: use another engine`,
      )
    const places = words.put(
      operands.flatMap((operand: PlanOperand | undefined) =>
        operand === undefined ? [0, 0] : [addressOf(operand.buffer), operand.stride],
      ),
    )
    const strides = words.put(
      operands.map(operand => (operand === undefined ? 0 : plan.buffers[operand.buffer].threadStride)),
    )
    const wholes = words.putWide(BigInt64Array.from(ints, BigInt))
    return [
      kernelNumber(run),
      once ? 1 : 0,
      operands.length,
      places,
      strides,
      wholes,
      words.putWide(Float64Array.from(floats)),
    ]
  }
  const loops = plan.loops.map(({ slices, imagesPerSlice, zeroed, steps }) => {
    const rows = zeroed.map(buffer => [
      addressOf(buffer),
      plan.buffers[buffer].bytes,
      plan.buffers[buffer].threadStride,
    ])
    const cleared = words.put(rows.flat())
    return [slices, imagesPerSlice, rows.length, cleared, steps.length, structs(steps.map(step), [3, 4, 5, 6])]
  })
  const loopsAt = structs(loops, [3, 5])
  const offset = structs([[loops.length, loopsAt, plan.threads, 0]], [1])
  return { bytes: words.bytes, offset, writeTo: (memory, start) => words.writeTo(memory, start) }
}
