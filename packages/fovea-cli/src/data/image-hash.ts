/** @file A short hash of an image's pixels, by which the same image is known wherever it lies and whatever it is called. */
import { createHash } from 'node:crypto'
import type { Dataset } from 'fovea'

/** The first bytes of a SHA-256: among a million images, two look alike with a chance of one in 36 million. */
export const HASH_BYTES = 8

/** Images that are read at a time. */
const CHUNK = 64

/** As a string of as many characters as it has bytes. */
export const imageHash = (pixels: Uint8Array): string =>
  createHash('sha256').update(pixels).digest().toString('latin1', 0, HASH_BYTES)

/** The hash of each image of a data set; of one that does not know them, all images are read. */
export function imageHashes(dataset: Dataset): readonly string[] {
  if (dataset.hashes !== undefined) return dataset.hashes
  const size = dataset.imageShape.reduce((product, n) => product * n)
  const pixels = new Uint8Array(CHUNK * size)
  const hashes: string[] = []
  for (let start = 0; start < dataset.length; start += CHUNK) {
    const count = Math.min(CHUNK, dataset.length - start)
    const indices = Array.from({ length: count }, (_, i) => start + i)
    dataset.read(indices, pixels)
    for (let i = 0; i < count; i++) hashes.push(imageHash(pixels.subarray(i * size, (i + 1) * size)))
  }
  return hashes
}

/** Hashes one after another. */
export const joinHashes = (hashes: Iterable<string>): Buffer => Buffer.from([...hashes].join(''), 'latin1')

/** What joinHashes has joined. */
export function splitHashes(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes).toString('latin1')
  return Array.from({ length: text.length / HASH_BYTES }, (_, i) => text.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES))
}
