/** @file The types and shapes of an HDF5 file's numbers and texts. */
import { FormatError } from '../../errors.js'
import type { StoredType } from '../weight-source.js'
import type { Cursor } from './bytes.js'

/** What an element is; `text` is of so many bytes, `long text` lies in a global heap. */
export type Hdf5Type =
  | { readonly is: 'number'; readonly dtype: StoredType; readonly size: 1 | 2 | 4 | 8; readonly bigEndian: boolean }
  | { readonly is: 'text' | 'long text'; readonly size: number }
  | { readonly is: 'other'; readonly what: string }

/** By width in bytes: where exponent and mantissa lie, and the exponent's bias. */
const floats: readonly { readonly dtype: StoredType; readonly fields: readonly number[] }[] = [
  { dtype: 'float16', fields: [2, 10, 5, 0, 10, 15] },
  { dtype: 'bfloat16', fields: [2, 7, 8, 0, 7, 127] },
  { dtype: 'float32', fields: [4, 23, 8, 0, 23, 127] },
  { dtype: 'float64', fields: [8, 52, 11, 0, 52, 1023] },
]
const integers: Readonly<Record<string, StoredType>> = {
  u1: 'uint8',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
}

const others: Readonly<Record<number, string>> = {
  2: 'times',
  4: 'bit fields',
  5: 'bytes of a kind of their own',
  6: 'records',
  7: 'references',
  8: 'names of a list',
  9: 'lists',
  10: 'arrays',
}
const [INTEGER, FLOAT, TEXT, VARIABLE] = [0, 1, 3, 9]

export function readDatatype(cursor: Cursor): Hdf5Type {
  const first = cursor.u8()
  const kind = first & 15
  const bits = cursor.uint(3)
  const size = cursor.u32()
  const bigEndian = (bits & 1) === 1
  if (kind === TEXT) return { is: 'text', size }
  if (kind === VARIABLE) return (bits & 15) === 1 ? { is: 'long text', size } : { is: 'other', what: others[kind] }
  if (kind === INTEGER) {
    const [offset, precision] = [cursor.u16(), cursor.u16()]
    const isWhole = offset === 0 && precision === 8 * size
    const dtype = isWhole ? integers[`${bits & 8 ? 'i' : 'u'}${size}`] : undefined
    return numberOf(dtype, size, bigEndian, `integers of ${precision} bits${bits & 8 ? '' : ' without a sign'}`)
  }
  if (kind === FLOAT) {
    const [offset, precision] = [cursor.u16(), cursor.u16()]
    const fields = [size, cursor.u8(), cursor.u8(), cursor.u8(), cursor.u8(), cursor.u32()]
    const isWhole = offset === 0 && precision === 8 * size && (bits & 0x40) === 0
    const known = isWhole ? floats.find(float => float.fields.join() === fields.join()) : undefined
    return numberOf(known?.dtype, size, bigEndian, `floats of ${precision} bits of a form of their own`)
  }
  return { is: 'other', what: others[kind] ?? `elements of class ${kind}` }
}

const numberOf = (dtype: StoredType | undefined, size: number, bigEndian: boolean, what: string): Hdf5Type =>
  dtype === undefined ? { is: 'other', what } : { is: 'number', dtype, size: size as 1 | 2 | 4 | 8, bigEndian }

const MAX_AXES = 16

/** The shape; [] of a single element. */
export function readDataspace(cursor: Cursor): readonly number[] {
  const version = cursor.version(1, 2)
  const rank = cursor.u8()
  cursor.skip(1)
  const kind = cursor.u8()
  if (version === 1) cursor.skip(4)
  else if (kind === 2) return [0]
  if (rank > MAX_AXES) cursor.fail(`has ${rank} axes, at most ${MAX_AXES} are read`)
  return Array.from({ length: rank }, () => cursor.length())
}

/** The type of numbers. @throws FormatError for anything else */
export function numberType(type: Hdf5Type): Extract<Hdf5Type, { is: 'number' }> {
  if (type.is === 'number') return type
  throw new FormatError(`it holds ${type.is === 'other' ? type.what : 'texts'}, which are not read`)
}
