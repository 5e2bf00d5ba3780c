/** @file Numbers on their way into the memory of a compiled engine and out of it. */
import { type HostArray, zeroArray } from '../../graph/arrays.js'
import { decodeHalf, encodeHalf, isHalf } from '../../graph/float16.js'
import { elements, type TensorType } from '../../graph/types.js'
import { typeOf } from '../../settings/describe.js'

/** What an engine copies from and to: 16-bit floats as their bits. */
export type MemoryArray = HostArray | Uint16Array

/** For the numbers of a tensor that come from there. */
export const memoryFor = (type: TensorType): MemoryArray =>
  isHalf(type.dtype) ? new Uint16Array(elements(type.shape)) : zeroArray(type)

/** Numbers for such a tensor, as an engine has them; one number for a scalar. */
export function inMemory(type: TensorType, values: HostArray | number): MemoryArray {
  const own = zeroArray(type)
  if (typeof values === 'number') return inMemory(type, own.fill(values))
  if (isHalf(type.dtype)) return encodeHalf(values, type.dtype)
  // It takes no shared memory: another thread may write to that meanwhile.
  if (typeOf(values) === typeOf(own) && typeOf(values.buffer) !== 'SharedArrayBuffer') return values
  own.set(values)
  return own
}

/** What came from there, as numbers. */
export const asNumbers = ({ dtype }: TensorType, array: MemoryArray): HostArray =>
  isHalf(dtype) ? decodeHalf(array as Uint16Array, dtype) : (array as HostArray)
