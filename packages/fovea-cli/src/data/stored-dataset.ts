/**
 * @file A data set described by plain data: shared memory, or a place in a file. The description can be sent to a worker,
 * which opens the same images without a copy of them.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { arrayDataset, type Dataset, FormatError } from 'fovea'

/** Enough to open a data set on any thread; all its memory is shared. */
export interface StoredImages {
  readonly name: string
  readonly imageShape: readonly [number, number, number]
  readonly classes: readonly string[]
  readonly fingerprint: string
  /** On shared memory. */
  readonly labels: Int32Array
  /** Pixels on shared memory, or the file that holds them from byte `offset` on. */
  readonly pixels: { readonly bytes: Uint8Array } | { readonly file: string; readonly offset: number }
}

/** Zeroed memory that workers see too. */
export const sharedBytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length))

/** A copy of class indices that workers see too. */
export function sharedLabels(labels: ArrayLike<number>): Int32Array {
  const shared = new Int32Array(new SharedArrayBuffer(4 * labels.length))
  shared.set(labels)
  return shared
}

/**
 * Opens a stored data set on this thread. A file stays open until the data set is garbage.
 * @throws InvalidArgumentError if its parts do not fit together; FormatError, on reading, if the file was cut short
 */
export function storedDataset(stored: StoredImages): Dataset {
  const { pixels, ...known } = stored
  if ('bytes' in pixels) return arrayDataset({ ...known, images: pixels.bytes })
  const { file, offset } = pixels
  const size = stored.imageShape[0] * stored.imageShape[1] * stored.imageShape[2]
  const handle = { descriptor: openSync(file, 'r') }
  closing.register(handle, handle.descriptor)
  return {
    name: stored.name,
    length: stored.labels.length,
    imageShape: stored.imageShape,
    classes: stored.classes,
    fingerprint: stored.fingerprint,
    labels: stored.labels,
    read(indices, target) {
      for (let i = 0; i < indices.length; i++) {
        const got = readSync(handle.descriptor, target, i * size, size, offset + indices[i] * size)
        if (got !== size)
          throw new FormatError(`'${file}' ends within image ${indices[i]}; delete it to have it made again`)
      }
    },
  }
}

const closing = new FinalizationRegistry<number>(descriptor => closeSync(descriptor))
