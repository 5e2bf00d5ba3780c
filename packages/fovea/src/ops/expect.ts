/**
 * @file What shape rules check, in one wording. Each throws a ShapeError that shows the shapes or values; the builder puts
 * the operator and node in front.
 */
import { ShapeError } from '../errors.js'
import { type DType, formatShape, isFloat, type Shape, sameShape, type TensorType } from '../graph/types.js'

/** The tensor has exactly this shape. */
export function expectShape(what: string, type: TensorType, expected: Shape): void {
  if (!sameShape(type.shape, expected)) {
    throw new ShapeError(`${what} is ${formatShape(type.shape)}, expected ${formatShape(expected)}`)
  }
}

/** The tensor has as many axes as `axes` names: `expectRank('input', x, ['batch', 'features'])`. */
export function expectRank(what: string, type: TensorType, axes: readonly string[]): void {
  if (type.shape.length !== axes.length) {
    throw new ShapeError(`${what} must be ${axes.join('×')}, got ${formatShape(type.shape)}`)
  }
}

export function expectFloat(what: string, type: TensorType): void {
  if (!isFloat(type.dtype)) throw new ShapeError(`${what} must be of a float type, got ${type.dtype}`)
}

/** The tensor is of exactly this type. */
export function expectType(what: string, type: TensorType | undefined, expected: DType): void {
  if (type !== undefined && type.dtype !== expected) {
    throw new ShapeError(`${what} must be ${expected}, got ${type.dtype}`)
  }
}

/** All that are there are of the first one's type. */
export function expectOneType(types: Readonly<Record<string, TensorType | undefined>>): void {
  const [[first, { dtype }], ...rest] = Object.entries(types).filter(
    (entry): entry is [string, TensorType] => entry[1] !== undefined,
  )
  const other = rest.find(([, type]) => type.dtype !== dtype)
  if (other !== undefined) {
    throw new ShapeError(`${first} is ${dtype}, ${other[0]} is ${other[1].dtype}: cast one of them`)
  }
}

/** Batch, height, width, channels. */
export const expectImages = (x: TensorType): void => expectRank('input', x, ['batch', 'height', 'width', 'channels'])

/** An attribute lies in [low, high]. */
export function expectRange(what: string, value: number, low: number, high = Number.POSITIVE_INFINITY): void {
  if (!(typeof value === 'number' && value >= low && value <= high)) {
    const range = high === Number.POSITIVE_INFINITY ? `at least ${low}` : `from ${low} to ${high}`
    throw new ShapeError(`${what} must be ${range}, got ${value}`)
  }
}

/** Far beyond any network's stride, padding or window; engines count with 32 bits. */
const MOST = 2 ** 20

/** A list attribute holds `length` whole numbers, none smaller than `low`, none absurdly large. */
export function expectIntegers(what: string, values: readonly number[], length: number, low: number): void {
  if (
    !Array.isArray(values) ||
    values.length !== length ||
    !values.every(value => Number.isInteger(value) && value >= low)
  ) {
    throw new ShapeError(`${what} must be ${length} whole numbers of at least ${low}, got ${JSON.stringify(values)}`)
  }
  if (values.some(value => value > MOST))
    throw new ShapeError(`${what} must be at most ${MOST}, got [${values.join(',')}]`)
}
