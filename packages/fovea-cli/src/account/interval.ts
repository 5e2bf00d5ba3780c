/** @file How sure an accuracy is that was measured on so many images. */

/** From and to, as fractions. */
export type Interval = readonly [number, number]

/** Of the standard normal distribution: 95 % lie within. */
const Z = 1.959964

/**
 * The interval of Wilson 1927 ("Probable inference, the law of succession, and statistical inference", JASA 22), at 95 %: in it
 * lies the share of all images, where so many of them, drawn at random, had this one. Holds for few images and for shares near 0
 * and 1 as well.
 */
export function wilsonInterval(share: number, count: number): Interval {
  const square = Z ** 2 / count
  const middle = (share + square / 2) / (1 + square)
  const half = (Z / (1 + square)) * Math.sqrt((share * (1 - share)) / count + square / (4 * count))
  return [Math.max(0, middle - half), Math.min(1, middle + half)]
}
