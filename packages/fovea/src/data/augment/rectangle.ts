/** @file A rectangle of random area and shape within an image: what is kept of it, or what is erased. */
import { randomAt } from '../../random.js'

/** Rows `top` to `bottom` − 1, columns `left` to `right` − 1. */
export interface Rectangle {
  top: number
  left: number
  bottom: number
  right: number
}

/** Draws until the rectangle fits, but no more often than this. */
const ATTEMPTS = 10

/**
 * Area uniform between two shares of the image's, the logarithm of width / height uniform, place uniform.
 * @param key of one image
 * @param target overwritten if one fits
 * @returns whether one fitted: within ten attempts, and no side longer than the image's
 */
export function randomRectangle(
  key: number,
  [height, width]: readonly number[],
  area: readonly [number, number],
  ratio: readonly [number, number],
  target: Rectangle,
): boolean {
  const [flat, wide] = [Math.log(ratio[0]), Math.log(ratio[1])]
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const pixels = height * width * (area[0] + (area[1] - area[0]) * randomAt(key, 2 * attempt))
    const shape = Math.exp(flat + (wide - flat) * randomAt(key, 2 * attempt + 1))
    const across = Math.round(Math.sqrt(pixels * shape))
    const down = Math.round(Math.sqrt(pixels / shape))
    if (across < 1 || down < 1 || across > width || down > height) continue
    target.top = Math.floor(randomAt(key, 2 * ATTEMPTS) * (height - down + 1))
    target.left = Math.floor(randomAt(key, 2 * ATTEMPTS + 1) * (width - across + 1))
    target.bottom = target.top + down
    target.right = target.left + across
    return true
  }
  return false
}
