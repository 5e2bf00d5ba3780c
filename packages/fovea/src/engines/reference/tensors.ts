/** @file The reference engine's values: which array holds a tensor, and how arrays of the caller become tensors and back. */
import { InvalidArgumentError } from '../../errors.js'
import { isHalf, roundArrayToHalf } from '../../graph/float16.js'
import type { Node } from '../../graph/graph.js'
import { elements, formatShape, isFloat, type TensorType } from '../../graph/types.js'
import type { Tensor, TensorData } from '../../ops/define.js'
import { type HostArray, typeOf } from '../engine.js'

/** The type in which every float is held and computed, whatever its dtype in the graph. */
export type Precision = 'float32' | 'float64'

const floatArrays = { float32: Float32Array, float64: Float64Array }
const integerArrays = { int32: Int32Array, int8: Int8Array, uint8: Uint8Array }

const arrayOf = (dtype: TensorType['dtype'], precision: Precision) =>
  dtype in integerArrays ? integerArrays[dtype as keyof typeof integerArrays] : floatArrays[precision]

/** Bytes that this engine needs for a tensor. */
export const heldBytes = (type: TensorType, precision: Precision): number =>
  elements(type.shape) * arrayOf(type.dtype, precision).BYTES_PER_ELEMENT

/** A tensor of zeros. */
export function zeros({ shape, dtype }: TensorType, precision: Precision): Tensor {
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
export function toTensor(node: Node, values: HostArray | number, precision: Precision, verb: string): Tensor {
  const [type] = node.outputs
  const wanted = `${type.dtype} ${formatShape(type.shape)}`
  const tensor = zeros(type, precision)
  const array = typeof values === 'number' ? [values] : values
  const types = isFloat(type.dtype) ? ['Float32Array', 'Float64Array'] : [typeOf(tensor.data)]
  if (typeof values !== 'number' && !types.includes(typeOf(values))) {
    throw new InvalidArgumentError(`${verb} '${node.name}': expected ${wanted}, got ${typeOf(values)}`)
  }
  const count = elements(type.shape)
  if (array.length !== count) {
    const got = typeof values === 'number' ? 'one number' : `${array.length} elements`
    throw new InvalidArgumentError(`${verb} '${node.name}': expected ${wanted} (${count} elements), got ${got}`)
  }
  tensor.data.set(array)
  roundToType(tensor)
  return tensor
}

/** A copy for the caller to keep. */
export function toHost(data: TensorData): HostArray {
  return data instanceof Int8Array ? Int32Array.from(data) : data.slice()
}
