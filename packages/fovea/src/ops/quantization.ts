/**
 * @file What the operators between floats and integers share (`quantize` and `dequantize` are ONNX's QuantizeLinear and DequantizeLinear; Jacob et al. 2018, arXiv
 * 1712.05877, section 2.1): an integer q stands for (q − zeroPoint)·scale. One scale is for all, or each index of an axis has
 * its own.
 */
import { ShapeError } from '../errors.js'
import type { HostArray } from '../graph/arrays.js'
import { elements, type TensorType } from '../graph/types.js'
import { channelsOf, ofInput, ofOutput } from './axes.js'
import type { AxisLink, BatchRoles, OpDefinition } from './define.js'
import { expectRange, expectShape, expectType } from './expect.js'

/** The integers that floats are quantized to. */
export const quantizedTypes = ['int8', 'uint8'] as const
/** One of `quantizedTypes`. */
export type QuantizedType = (typeof quantizedTypes)[number]
/** Those that stand for floats: sums of products, such as biases, are int32. */
export const integerTypes = [...quantizedTypes, 'int32'] as const
/** One of `integerTypes`. */
export type IntegerType = (typeof integerTypes)[number]

/** `axis`: whose indices have a scale each; null where one is for all. */
export type ScaleAttributes = { readonly axis: number | null }

/**
 * Checks scale and zero point of integers of `dtype`.
 * @throws ShapeError for those of another type or shape
 */
export function expectScales(
  x: TensorType,
  scale: TensorType,
  zeroPoint: TensorType | undefined,
  { axis, dtype }: ScaleAttributes & Pick<TensorType, 'dtype'>,
): void {
  if (axis !== null) {
    if (!Number.isInteger(axis)) throw new ShapeError(`axis must be a whole number or null, got ${axis}`)
    expectRange('axis', axis, 0, x.shape.length - 1)
  }
  const shape = axis === null ? [] : [x.shape[axis]]
  expectShape('the scale', scale, shape)
  expectType('the scale', scale, 'float32')
  if (zeroPoint === undefined) return
  expectShape('the zero point', zeroPoint, shape)
  expectType('the zero point', zeroPoint, dtype)
}

/** A tensor as runs of `inner` elements that share a scale, `channels` runs with one after another, and that `outer` times. */
export function scaleRuns({ shape }: Pick<TensorType, 'shape'>, { axis }: ScaleAttributes) {
  if (axis === null) return { outer: 1, channels: 1, inner: elements(shape) }
  return { outer: elements(shape.slice(0, axis)), channels: shape[axis], inner: elements(shape.slice(axis + 1)) }
}

/** For each element of a tensor, which scale is its own. */
export function scaleIndex(x: Pick<TensorType, 'shape'>, attrs: ScaleAttributes): (i: number) => number {
  const { channels, inner } = scaleRuns(x, attrs)
  return i => Math.floor(i / inner) % channels
}

/** The traits of both: element by element, with the scales along their axis. */
export const elementByElement = {
  batch: ([{ shape }]: readonly TensorType[], _: readonly TensorType[], { axis }: ScaleAttributes) =>
    shape.length === 0 || axis === 0 ? undefined : ({ inputs: [0], outputs: [0] } satisfies BatchRoles),
  memory: [[]],
  axes: (inputs: readonly TensorType[], _: readonly TensorType[], { axis }: ScaleAttributes) =>
    inputs[0].shape.map((size, at): AxisLink => {
      const channels = channelsOf(size)
      const scales = at === axis ? inputs.slice(1).map((_, i) => ofInput(i + 1, 0, channels)) : []
      return [ofInput(0, at, channels), ...scales, ofOutput(0, at, channels)]
    }),
  float32Inputs: [1, 2],
} as const satisfies Partial<OpDefinition<ScaleAttributes>>

/** To the nearest whole number; of two that are as near, the even one. */
function roundHalfToEven(x: number): number {
  const up = Math.round(x)
  return Math.abs(x % 1) === 0.5 && up % 2 !== 0 ? up - 1 : up
}

/** The nearest whole multiple of a scale, divided as engines divide, in float32: so ties are the same ones everywhere. */
export const nearestInteger = (x: number, scale: number): number => roundHalfToEven(Math.fround(x / scale))

/** What an activation's numbers lie between: from `low`, at most 0, to `high`, at least 0. 0 is always one of them. */
export interface ActivationRange {
  readonly low: number
  readonly high: number
}

/** What a uint8 q stands for: (q − zeroPoint)·scale. */
export type ActivationScale = { readonly scale: number; readonly zeroPoint: number }

/** The largest uint8. */
export const UINT8_MOST = 255

/** @throws ShapeError for one that no uint8 has */
export function checkScale(what: string, { scale, zeroPoint }: ActivationScale): void {
  expectRange(`the zero point of ${what}`, zeroPoint, 0, UINT8_MOST)
  if (!(scale > 0)) throw new ShapeError(`the scale of ${what} must be above 0, got ${scale}`)
}

/** The uint8 that is nearest to a float32; what is no number becomes the zero point. */
export const quantizedUint8 = (x: number, { scale, zeroPoint }: ActivationScale): number =>
  limitedUint8(nearestInteger(x, Math.fround(scale)), zeroPoint)

/**
 * The same of a number in steps of the scale, which is rounded to float32 first, as engines have it: where floats become integers
 * only within an operator, it multiplies by steps, and nothing says that it divides.
 */
export const requantizedUint8 = (steps: number, { zeroPoint }: ActivationScale): number =>
  limitedUint8(roundHalfToEven(Math.fround(steps)), zeroPoint)

const limitedUint8 = (steps: number, zeroPoint: number): number =>
  Number.isNaN(steps) ? zeroPoint : Math.min(Math.max(steps + zeroPoint, 0), UINT8_MOST)

/** The 256 numbers nearest to a range that have 0 among them (Jacob et al. 2018, section 2.1). */
export function scaleOf({ low, high }: ActivationRange): ActivationScale {
  const scale = Math.fround((high - low) / UINT8_MOST)
  // Nothing but zeros, or numbers too small for a float32.
  if (!(scale > 0)) return { scale: 1, zeroPoint: 0 }
  return { scale, zeroPoint: Math.min(Math.max(Math.round(-low / scale), 0), UINT8_MOST) }
}

/** The same of an extent: how far it goes below and above 0. */
export const scaleOfExtent = ([below, above]: HostArray): ActivationScale => scaleOf({ low: -below, high: above })

/** How far from 0 any of some numbers is. */
export function largestSize(numbers: HostArray): number {
  let most = 0
  for (let i = 0; i < numbers.length; i++) most = Math.max(most, Math.abs(numbers[i]))
  return most
}

/** The scale of a channel's weights, of which the largest becomes `largest`, or its negative; of zeros, and next to them, 1. */
export function weightScale(weights: HostArray, largest: number): number {
  const scale = Math.fround(largestSize(weights) / largest)
  return scale > 0 ? scale : 1
}

/** A weight as an integer. In float32 the largest may come out a little above its own. */
export const integerWeight = (x: number, scale: number, largest: number): number =>
  Math.min(Math.max(nearestInteger(x, scale), -largest), largest)
