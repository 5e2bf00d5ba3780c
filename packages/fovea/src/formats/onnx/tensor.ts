/** @file Tensors as ONNX files have them: types by number, numbers as bytes. */
import { arrayTypes, type HostArray } from '../../graph/arrays.js'
import { encodeHalf, isHalf } from '../../graph/float16.js'
import type { DType, Shape } from '../../graph/types.js'
import type { Draft } from './messages.js'

/** TensorProto.DataType, as far as we know its types. int64 holds shapes and axes, bool what is compared. */
export const dataTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const satisfies Record<DType | 'int64' | 'bool', number>

/** A type of ONNX's that we know. */
export type OnnxType = keyof typeof dataTypes

/** Numbers as little-endian bytes. */
export function bytesOf(values: HostArray, dtype: DType): Uint8Array {
  if (isHalf(dtype)) return viewOf(encodeHalf(values, dtype))
  const Type = arrayTypes[dtype]
  return viewOf(values instanceof Type ? values : Type.from(values))
}

const viewOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)

/** A tensor to be written. */
export const tensorDraft = (name: string, dtype: DType, dims: Shape, values: HostArray): Draft<'TensorProto'> => ({
  name,
  dims,
  dataType: dataTypes[dtype],
  rawData: bytesOf(values, dtype),
})

/** Shapes, axes and the like. */
export const indicesDraft = (name: string, values: readonly number[]): Draft<'TensorProto'> => ({
  name,
  dims: [values.length],
  dataType: dataTypes.int64,
  rawData: viewOf(BigInt64Array.from(values, value => BigInt(value))),
})
