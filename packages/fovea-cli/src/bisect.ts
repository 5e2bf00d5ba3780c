/** @file Search by halves among whole numbers, where finding out about one takes long. */

/** Between two numbers, of which the one will do and the other not, whichever is larger. */
export interface Bounds {
  readonly good: number
  readonly bad: number
}

/**
 * Moves the two together until they are neighbours: where all on the side of `good` will do, it is the last that does.
 * @param tries at most so many. Default: as many as it takes
 * @returns the last good one
 */
export async function bisect(
  { good, bad }: Bounds,
  willDo: (candidate: number) => Promise<boolean>,
  tries = Number.POSITIVE_INFINITY,
): Promise<number> {
  for (let i = 0; i < tries && Math.abs(good - bad) > 1; i++) {
    const middle = Math.floor((good + bad) / 2)
    if (await willDo(middle)) good = middle
    else bad = middle
  }
  return good
}
