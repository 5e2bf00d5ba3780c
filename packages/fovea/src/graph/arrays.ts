/** @file The numbers of tensors outside of engines: what is fed, returned and saved; which array holds which type. */
import { InvalidArgumentError } from '../errors.js'
import { typeOf } from '../settings/describe.js'
import type { Node } from './graph.js'
import { type DType, elements, formatShape, isFloat, type TensorType } from './types.js'

/**
 * The numbers of a tensor, dense. Integers are in an array of their own type; floats of every width in a Float32Array, or,
 * of float64 and of an engine that computes in it, in a Float64Array.
 */
export type HostArray = Float32Array | Float64Array | Int32Array | Int8Array | Uint8Array

/** The kind of array that holds a type. */
export const arrayTypes = {
  float64: Float64Array,
  float32: Float32Array,
  bfloat16: Float32Array,
  float16: Float32Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
} as const satisfies Record<DType, unknown>

/** An array for the numbers of a tensor, all 0. */
export const zeroArray = ({ shape, dtype }: TensorType): HostArray => new arrayTypes[dtype](elements(shape))

/**
 * Checks that numbers are those of such a tensor; one number may stand for a single element.
 * @param what for the message: "feed 'image'"
 * @throws InvalidArgumentError for too many or too few, or an array of another type
 */
export function checkArray(what: string, type: TensorType, values: HostArray | number): void {
  const count = elements(type.shape)
  const expected = `${what}: expected ${type.dtype} ${formatShape(type.shape)}`
  const kinds = isFloat(type.dtype) ? ['Float32Array', 'Float64Array'] : [arrayTypes[type.dtype].name]
  if (typeof values !== 'number' && !kinds.includes(typeOf(values))) {
    throw new InvalidArgumentError(`${expected}, got ${typeOf(values)}`)
  }
  if ((typeof values === 'number' ? 1 : values.length) !== count) {
    const got = typeof values === 'number' ? 'one number' : `${values.length} elements`
    throw new InvalidArgumentError(`${expected} (${count} elements), got ${got}`)
  }
}

/** Fills an array with the numbers of a constant. */
export function fillConstant<A extends HostArray>(array: A, { attrs: { value } }: Node): A {
  if (typeof value === 'number') array.fill(value)
  else array.set(value as readonly number[])
  return array
}
