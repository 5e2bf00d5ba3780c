/**
 * @file Gives the buffers of a plan their places: state in one block, all else in an arena, where buffers whose lives do
 * not overlap share bytes. What lives within one loop over slices only is as large as a slice, and each thread has its own.
 */
import { planMemory } from '../../passes/plan-memory.js'
import type { Loop } from './loops.js'
import type { Buffer, LoweredStep } from './steps.js'

/** Bytes from `offset` on, in the block of state or in the arena; `threadStride` apart for each thread, or 0 for one. */
export interface Place {
  readonly state: boolean
  readonly offset: number
  readonly bytes: number
  readonly threadStride: number
}

export interface Placement {
  readonly places: ReadonlyMap<Buffer, Place>
  readonly arenaBytes: number
  readonly stateBytes: number
}

export const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64

/**
 * @param inputs what is fed before the first loop
 * @param outputs what is read after the last
 */
export function placeBuffers(
  loops: readonly Loop[],
  buffers: readonly Buffer[],
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
  threads: number,
): Placement {
  const lives = livesOf(loops, inputs, outputs)
  const rooms = loops.map(loop => threadRoom(loop, lives))
  const places = new Map<Buffer, Place>()

  const states = buffers.filter(({ state }) => state)
  const lasting = planMemory(states.map(({ bytes }) => ({ bytes, first: 0, last: 0 })))
  for (const [i, buffer] of states.entries()) {
    places.set(buffer, { state: true, offset: lasting.offsets[i], bytes: buffer.bytes, threadStride: 0 })
  }

  const inRooms = new Set(rooms.flatMap(({ offsets }) => [...offsets.keys()]))
  const transient = buffers.filter(buffer => !buffer.state && !inRooms.has(buffer))
  const bytesOf = ({ bytes, perThread }: Buffer): number => (perThread ? threads * aligned(bytes) : bytes)
  const arena = planMemory([
    ...transient.map(buffer => ({ bytes: bytesOf(buffer), ...(lives.get(buffer) ?? { first: 0, last: 0 }) })),
    ...rooms.map(({ bytes }, i) => ({ bytes: threads * bytes, first: i, last: i })),
  ])
  for (const [i, buffer] of transient.entries()) {
    const threadStride = buffer.perThread ? aligned(buffer.bytes) : 0
    places.set(buffer, { state: false, offset: arena.offsets[i], bytes: buffer.bytes, threadStride })
  }
  for (const [i, { offsets, bytes: threadStride }] of rooms.entries()) {
    const start = arena.offsets[transient.length + i]
    for (const [buffer, { offset, bytes }] of offsets) {
      places.set(buffer, { state: false, offset: start + offset, bytes, threadStride })
    }
  }
  return { places, arenaBytes: arena.arenaBytes, stateBytes: lasting.arenaBytes }
}

interface Life {
  first: number
  last: number
}

/** From the first to the last loop that touches a buffer; inputs live from before the first loop, outputs beyond the last. */
function livesOf(loops: readonly Loop[], inputs: readonly Buffer[], outputs: readonly Buffer[]): Map<Buffer, Life> {
  const lives = new Map<Buffer, Life>()
  const touch = (buffer: Buffer, at: number): void => {
    const life = lives.get(buffer)
    if (life === undefined) lives.set(buffer, { first: at, last: at })
    else life.last = Math.max(life.last, at)
  }
  for (const buffer of inputs) touch(buffer, -1)
  for (const [at, { steps }] of loops.entries()) for (const buffer of buffersOf(steps)) touch(buffer, at)
  for (const buffer of outputs) touch(buffer, loops.length)
  return lives
}

function* buffersOf(steps: readonly LoweredStep[]): Generator<Buffer> {
  for (const { operands } of steps) for (const operand of operands) if (operand !== undefined) yield operand.buffer
}

/** What a thread needs for itself during a loop: scratch, and values that no other loop reads. */
function threadRoom({ slices, steps }: Loop, lives: ReadonlyMap<Buffer, Life>) {
  if (slices === 0) return { offsets: new Map<Buffer, { offset: number; bytes: number }>(), bytes: 0 }
  const within = new Map<Buffer, Life>()
  const whole = new Set<Buffer>()
  for (const [at, { operands }] of steps.entries()) {
    for (const operand of operands) {
      if (operand === undefined) continue
      const { buffer, sliced } = operand
      if (!sliced && !buffer.scratch) whole.add(buffer)
      const life = within.get(buffer)
      if (life === undefined) within.set(buffer, { first: at, last: at })
      else life.last = at
    }
  }
  const local = [...within.keys()].filter(buffer => {
    const life = lives.get(buffer)!
    return !buffer.state && !whole.has(buffer) && life.first === life.last
  })
  const bytes = local.map(buffer => (buffer.perThread ? buffer.bytes : buffer.bytes / slices))
  const { offsets, arenaBytes } = planMemory(local.map((buffer, i) => ({ bytes: bytes[i], ...within.get(buffer)! })))
  return {
    offsets: new Map(local.map((buffer, i) => [buffer, { offset: offsets[i], bytes: bytes[i] }])),
    bytes: arenaBytes,
  }
}
