/**
 * @file Gives buffers their places in one arena: buffers whose lives do not overlap share bytes. Knows only sizes and
 * lifetimes, neither graph nor engine.
 */

/** A buffer of `bytes` that is written at step `first` and read for the last time at step `last` (both inclusive). */
export interface BufferLifetime {
  readonly bytes: number
  readonly first: number
  readonly last: number
}

export interface MemoryPlan {
  /** Byte offset of each buffer, aligned. */
  readonly offsets: readonly number[]
  readonly arenaBytes: number
}

/**
 * Largest buffer first, each at the lowest offset where it fits between those that live at the same time: the "greedy by
 * size" strategy of Pisarchyk and Lee 2020 (arXiv 2001.03288), within a few percent of the optimum for such networks.
 * @param alignment of every offset, in bytes
 */
export function planMemory(lifetimes: readonly BufferLifetime[], alignment = 64): MemoryPlan {
  const aligned = (bytes: number) => Math.ceil(bytes / alignment) * alignment
  const order = lifetimes.map((_, i) => i).sort((a, b) => lifetimes[b].bytes - lifetimes[a].bytes || a - b)
  const offsets = new Array<number>(lifetimes.length).fill(0)
  const placed: number[] = [] // by offset
  let arenaBytes = 0
  for (const i of order) {
    const { bytes, first, last } = lifetimes[i]
    if (bytes === 0) continue
    let offset = 0
    for (const j of placed) {
      const other = lifetimes[j]
      if (other.last < first || other.first > last) continue
      if (offset + bytes <= offsets[j]) break
      offset = Math.max(offset, aligned(offsets[j] + other.bytes))
    }
    offsets[i] = offset
    const at = placed.findIndex(j => offsets[j] > offset)
    placed.splice(at < 0 ? placed.length : at, 0, i)
    arenaBytes = Math.max(arenaBytes, aligned(offset + bytes))
  }
  return { offsets, arenaBytes }
}
