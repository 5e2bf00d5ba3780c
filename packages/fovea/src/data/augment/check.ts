/** @file What the numbers of all augmentations are checked for. */
import { InvalidArgumentError } from '../../errors.js'

/** @throws InvalidArgumentError unless `value` is a number from `least` to `most` */
export function checkNumber(name: string, value: number, least: number, most = Number.POSITIVE_INFINITY): void {
  if (Number.isFinite(value) && value >= least && value <= most) return
  const range = most === Number.POSITIVE_INFINITY ? `from ${least} on` : `from ${least} to ${most}`
  throw new InvalidArgumentError(`${name} must be a number ${range}, not ${value}`)
}

/** @throws InvalidArgumentError unless `value` is a whole number from `least` to `most` */
export function checkWhole(name: string, value: number, least: number, most = Number.POSITIVE_INFINITY): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return
  const range = most === Number.POSITIVE_INFINITY ? `from ${least} on` : `from ${least} to ${most}`
  throw new InvalidArgumentError(`${name} must be a whole number ${range}, not ${value}`)
}

/** @throws InvalidArgumentError unless `range` is two positive numbers, the lower first, none above `most` */
export function checkRange(name: string, range: readonly number[], most = Number.POSITIVE_INFINITY): void {
  const [low, high] = range
  if (range.length === 2 && low > 0 && low <= high && high <= most && Number.isFinite(high)) return
  const limit = most === Number.POSITIVE_INFINITY ? '' : ` up to ${most}`
  throw new InvalidArgumentError(`${name} must be two positive numbers${limit}, the lower first, not [${range}]`)
}
