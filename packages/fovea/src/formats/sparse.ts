/**
 * @file Weights many of which are 0, as a file holds them: a bit for each that says whether it is another number, and those
 * numbers. In the file `conv1.weight` is then `conv1.weight:bits` (uint8, the first element in the lowest bit) and
 * `conv1.weight:values`. A zero's sign is not kept.
 */
import { FormatError } from '../errors.js'
import { elements, type TensorType } from '../graph/types.js'
import { type StoredTensor, storedElementBytes } from './weight-source.js'

const bitsOf = (name: string): string => `${name}:bits`
const valuesOf = (name: string): string => `${name}:values`

/** The tensors that hold one of floats or int8: itself or, where that takes less room, its bits and values. */
export function compact(name: string, tensor: StoredTensor): (readonly [string, StoredTensor])[] {
  const { dtype, shape, bytes } = tensor
  const size = storedElementBytes(dtype)
  // Of the last byte of a float all but the sign.
  const mask = dtype === 'int8' ? 0xff : 0x7f
  const count = elements(shape)
  let kept = 0
  for (let i = 0; i < count; i++) if (!isZero(bytes, i * size, { size, mask })) kept++
  const bits = new Uint8Array(Math.ceil(count / 8))
  if (bits.length + kept * size >= bytes.length) return [[name, tensor]]
  const values = new Uint8Array(kept * size)
  for (let i = 0, to = 0; i < count; i++) {
    if (isZero(bytes, i * size, { size, mask })) continue
    bits[i >> 3] |= 1 << (i & 7)
    values.set(bytes.subarray(i * size, (i + 1) * size), to)
    to += size
  }
  return [
    [bitsOf(name), { dtype: 'uint8', shape: [bits.length], bytes: bits }],
    [valuesOf(name), { dtype, shape: [kept], bytes: values }],
  ]
}

/** Little-endian. @param mask the bits of the last byte that count */
function isZero(bytes: Uint8Array, start: number, { size, mask }: { size: number; mask: number }): boolean {
  for (let i = start; i < start + size - 1; i++) if (bytes[i] !== 0) return false
  return (bytes[start + size - 1] & mask) === 0
}

/**
 * The tensors of a file with those whole again that `compact` has split.
 * @param types of all that may have been, by name
 * @throws FormatError for bits and values that do not fit
 */
export function expand(
  tensors: ReadonlyMap<string, StoredTensor>,
  types: ReadonlyMap<string, TensorType>,
): ReadonlyMap<string, StoredTensor> {
  const whole = new Map(tensors)
  for (const [name, { shape }] of types) {
    const [bits, values] = [tensors.get(bitsOf(name)), tensors.get(valuesOf(name))]
    if (tensors.has(name) || bits === undefined || values === undefined) continue
    const size = storedElementBytes(values.dtype)
    const count = elements(shape)
    // Before memory is taken for the whole.
    const fits = bits.dtype === 'uint8' && bits.bytes.length === Math.ceil(count / 8)
    if (!fits || setBits(bits.bytes, count) * size !== values.bytes.length) {
      throw new FormatError(`'${bitsOf(name)}' and '${valuesOf(name)}' do not make a tensor of ${count} elements`)
    }
    const bytes = new Uint8Array(count * size)
    for (let i = 0, from = 0; i < count; i++) {
      if (!isSet(bits.bytes, i)) continue
      bytes.set(values.bytes.subarray(from, from + size), i * size)
      from += size
    }
    whole.delete(bitsOf(name))
    whole.delete(valuesOf(name))
    whole.set(name, { dtype: values.dtype, shape, bytes })
  }
  return whole
}

const isSet = (bits: Uint8Array, i: number): boolean => ((bits[i >> 3] >> (i & 7)) & 1) === 1

function setBits(bits: Uint8Array, count: number): number {
  let set = 0
  for (let i = 0; i < count; i++) if (isSet(bits, i)) set++
  return set
}
