/** @file The numbers of one tensor of a file as those of a tensor of a model, and back. */
import { FormatError } from '../errors.js'
import { arrayTypes, checkArray, type HostArray } from '../graph/arrays.js'
import { decodeHalf, encodeHalf, isHalf, roundArrayToHalf } from '../graph/float16.js'
import { type DType, isFloat, type TensorType } from '../graph/types.js'
import { typeOf } from '../settings/describe.js'
import { asUnits } from './units.js'
import { isForeign, type StoredTensor, type StoredType } from './weight-source.js'

/** The numbers of a tensor in a file, as those of a tensor of the model: of another float type they are rounded to its. */
export function numbersOf(name: string, { dtype, bytes }: StoredTensor, type: TensorType): HostArray {
  if (!isReadAs(dtype, type.dtype)) throw new FormatError(`'${name}' is ${dtype}, the model's is ${type.dtype}`)
  const inFile = ownArray(bytes, dtype)
  if (dtype === type.dtype) return inFile
  const isWidened = isHalf(dtype) && arrayTypes[type.dtype] === Float32Array
  const array = isWidened ? inFile : new arrayTypes[type.dtype](inFile)
  if (isHalf(type.dtype)) roundArrayToHalf(array, type.dtype)
  return array
}

/** The numbers in an array of their own: a file's bytes may lie at any address, and stay as they are. */
function ownArray(bytes: Uint8Array, dtype: DType): HostArray {
  if (isHalf(dtype)) return decodeHalf(asUnits(bytes, 2) as Uint16Array, dtype)
  // Bytes with a buffer of their own were made when they were asked for, as a kernel is that was transposed. Others are copied
  // (`bytes.slice()` would be a view where Node made them a Buffer).
  const { buffer } = bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
  return new arrayTypes[dtype](buffer as ArrayBuffer)
}

const isReadAs = (inFile: StoredType, ours: DType): inFile is DType =>
  inFile === ours || (!isForeign(inFile) && isFloat(inFile) && isFloat(ours))

/** Numbers as a file holds them: 16-bit floats as their bits. */
export function storedNumbers(name: string, values: HostArray, type: TensorType): StoredTensor {
  checkArray(`'${name}'`, type, values)
  const narrow = type.dtype === 'float32' && typeOf(values) === 'Float64Array' ? Float32Array.from(values) : values
  const { buffer, byteOffset, byteLength } = isHalf(type.dtype) ? encodeHalf(values, type.dtype) : narrow
  return { ...type, bytes: new Uint8Array(buffer, byteOffset, byteLength) }
}
