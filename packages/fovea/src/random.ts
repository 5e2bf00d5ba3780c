/**
 * @file Randomness without state: every random number is a pure function of a seed, a named stream and an index, so that
 * engines, workers and resumed runs draw the same. The native kernels repeat these two functions bit for bit.
 */

/** The finalizer of MurmurHash3 (Appleby): every input bit changes every output bit. 32-bit in, 32-bit out. */
export function mix32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/** FNV-1a of a name's UTF-8 bytes: turns the name of a node or parameter into the number of its stream. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** The key of (seed, stream): computed once, then `randomAt(key, i)` for each index. */
export const randomKey = (seed: number, stream: number): number => mix32((seed ^ mix32(stream)) >>> 0)

/** 32 random bits at an index. */
export const randomBits = (key: number, index: number): number => mix32((key + Math.imul(0x9e3779b9, index + 1)) >>> 0)

/** Uniform in [0, 1). */
export const randomAt = (key: number, index: number): number => randomBits(key, index) / 2 ** 32

/** Standard normal, by the Box–Muller transform of the numbers at 2·index and 2·index + 1. */
export function normalAt(key: number, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - randomAt(key, 2 * index)))
  return radius * Math.cos(2 * Math.PI * randomAt(key, 2 * index + 1))
}

/** A permutation of 0 … length − 1 (Fisher and Yates), a pure function of the key. */
export function permutation(length: number, key: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i)
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(randomAt(key, i) * (i + 1))
    const swapped = order[i]
    order[i] = order[j]
    order[j] = swapped
  }
  return order
}
