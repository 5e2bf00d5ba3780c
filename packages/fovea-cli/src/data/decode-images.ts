/** @file Several image files at once: of each its pixels, or what is wrong with it. One that is bad costs the others nothing. */
import { FoveaError } from 'fovea'
import { checkArguments, list, text } from 'fovea/engine'
import { decodeImage, pixelSize } from './decode-image.js'

const decodeArguments = {
  paths: list('of image files', 'paths', text('a path')),
  size: pixelSize,
}

/**
 * Decodes files side by side, as decodeImage does each.
 * @param size [height, width, channels] of every result
 * @returns in the order of the paths: the pixels, or why there are none, which names the file
 */
export async function decodeImages(
  paths: readonly string[],
  size: readonly [number, number, number],
): Promise<(Uint8Array | FoveaError)[]> {
  checkArguments(decodeArguments, { paths, size })
  return Promise.all(paths.map(path => orReason(decodeImage(path, size))))
}

const orReason = (decoding: Promise<Uint8Array>): Promise<Uint8Array | FoveaError> =>
  decoding.catch((error: unknown) => {
    if (error instanceof FoveaError) return error
    throw error
  })
