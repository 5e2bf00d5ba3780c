/** @file The reference engine's values: which array holds a tensor, and how arrays of the caller become tensors and back. */
import { checkArray, type HostArray } from '../../graph/arrays.js'
import { isHalf, roundArrayToHalf } from '../../graph/float16.js'
import type { Node } from '../../graph/graph.js'
import { elements, type TensorType } from '../../graph/types.js'
import type { Tensor } from '../../ops/define.js'

/** The type in which every float is held and computed, whatever its dtype in the graph. */
export type FloatType = 'float32' | 'float64'

const floatArrays = { float32: Float32Array, float64: Float64Array }
const integerArrays = { int32: Int32Array, int8: Int8Array, uint8: Uint8Array }

const arrayOf = (dtype: TensorType['dtype'], precision: FloatType) =>
  dtype in integerArrays ? integerArrays[dtype as keyof typeof integerArrays] : floatArrays[precision]

/** Bytes that this engine needs for a tensor. */
export const heldBytes = (type: TensorType, precision: FloatType): number =>
  elements(type.shape) * arrayOf(type.dtype, precision).BYTES_PER_ELEMENT

/** A tensor of zeros. */
export function zeros({ shape, dtype }: TensorType, precision: FloatType): Tensor {
  const ArrayType = arrayOf(dtype, precision)
  return { shape, dtype, data: new ArrayType(elements(shape)) }
}

/** What a node of a 16-bit float type gives is a number of that type. */
export function roundToType({ dtype, data }: Tensor): void {
  if (isHalf(dtype)) roundArrayToHalf(data, dtype)
}

/**
 * A tensor of the type of `node` with a copy of the caller's numbers.
 * @param verb 'feed' or 'write', for messages
 * @throws InvalidArgumentError where length or type do not fit
 */
export function toTensor(node: Node, values: HostArray | number, precision: FloatType, verb: string): Tensor {
  const [type] = node.outputs
  checkArray(`${verb} '${node.name}'`, type, values)
  const tensor = zeros(type, precision)
  tensor.data.set(typeof values === 'number' ? [values] : values)
  roundToType(tensor)
  return tensor
}
