/** @file How sure an accuracy is that was measured on so many images, and the difference of two on the same images. */

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

/**
 * The interval of Agresti and Min 2005 ("Simple improved confidence intervals for comparing matched proportions", Statistics in
 * Medicine 24), at 95 %, of the difference of two shares of the same things. Holds for few of them as well.
 * @param gained how many are in the second share alone
 * @param lost how many are in the first alone
 * @returns from and to, as fractions of −1 to 1
 */
export function pairedInterval(gained: number, lost: number, count: number): Interval {
  const [more, less, all] = [gained + 0.5, lost + 0.5, count + 2]
  const middle = (more - less) / all
  const half = (Z / all) * Math.sqrt(more + less - (more - less) ** 2 / all)
  return [Math.max(-1, middle - half), Math.min(1, middle + half)]
}
