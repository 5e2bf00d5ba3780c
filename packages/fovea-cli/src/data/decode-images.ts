/** @file Several image files at once: of each its pixels, or what is wrong with it. One that is bad costs the others nothing. */
import { FoveaError, type Resizing } from 'fovea'
import { checkArguments, list, resizingSetting, text } from 'fovea/engine'
import { decodeImage, pixelSize } from './decode-image.js'

const decodeArguments = {
  paths: list('of image files', 'paths', text('a path')),
  size: pixelSize,
  resizing: resizingSetting.optional(),
}

/**
 * Decodes files side by side, as decodeImage does each.
 * @param size [height, width, channels] of every result
 * @param resizing as decodeImage has it
 * @returns in the order of the paths: the pixels, or why there are none, which names the file
 */
export async function decodeImages(
  paths: readonly string[],
  size: readonly [number, number, number],
  resizing?: Resizing,
): Promise<(Uint8Array | FoveaError)[]> {
  checkArguments(decodeArguments, { paths, size, resizing })
  return Promise.all(paths.map(path => orReason(decodeImage(path, size, resizing))))
}

const orReason = (decoding: Promise<Uint8Array>): Promise<Uint8Array | FoveaError> =>
  decoding.catch((error: unknown) => {
    if (error instanceof FoveaError) return error
    throw error
  })
