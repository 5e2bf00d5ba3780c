/** @file How large the images of a folder are, so that one odd image does not decide how all of them are seen. */
import { join } from 'node:path'
import { FormatError, FoveaError } from 'fovea'
import { imageSize } from './decode-image.js'

/** Images whose headers are read, evenly spread over the folder: enough for a median. */
const SAMPLE = 400
const SIDE_BY_SIDE = 16

/**
 * The median of the images' shorter sides. Images that cannot be read do not count.
 * @param paths below the folder
 * @throws FormatError if no image can be read
 */
export async function typicalSide(folder: string, paths: readonly string[]): Promise<number> {
  const count = Math.min(SAMPLE, paths.length)
  const sample = Array.from({ length: count }, (_, i) => paths[Math.floor((i * paths.length) / count)])
  const known = await shorterSides(folder, sample)
  const sides = known.length > 0 ? known : await shorterSides(folder, paths)
  if (sides.length === 0) throw new FormatError(`none of the ${paths.length} images in '${folder}' can be read`)
  return sides.sort((a, b) => a - b)[Math.floor((sides.length - 1) / 2)]
}

async function shorterSides(folder: string, paths: readonly string[]): Promise<number[]> {
  const sides: number[] = []
  for (let start = 0; start < paths.length; start += SIDE_BY_SIDE) {
    const some = paths.slice(start, start + SIDE_BY_SIDE).map(path => shorterSide(join(folder, path)))
    sides.push(...(await Promise.all(some)).filter(side => side !== undefined))
  }
  return sides
}

const shorterSide = (path: string): Promise<number | undefined> =>
  imageSize(path).then(
    size => Math.min(...size),
    (error: unknown) => {
      if (error instanceof FoveaError) return undefined // It is named when it is decoded.
      throw error
    },
  )
