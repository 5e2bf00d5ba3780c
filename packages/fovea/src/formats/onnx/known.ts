/** @file Tensors of an ONNX file whose numbers are known when it is read: weights, constants, shapes. Checked before memory is taken. */
import { FormatError } from '../../errors.js'
import type { HostArray } from '../../graph/arrays.js'
import { decodeHalf } from '../../graph/float16.js'
import { elements, formatShape, type Shape } from '../../graph/types.js'
import type { Message } from './messages.js'
import { dataTypes, type OnnxType } from './tensor.js'

/** Numbers with a shape. Floats of every width are float32, but for float64; int64 and bool are numbers too. */
export interface Known {
  readonly dims: Shape
  readonly type: OnnxType
  readonly values: HostArray
  /** What a parameter that is made of it is called. */
  readonly name: string
  /** Whether it is a number of the graph rather than a weight. */
  readonly isConstant?: boolean
}

const typeNames = new Map<number, OnnxType>(
  Object.entries(dataTypes).map(([name, number]) => [number, name as OnnxType]),
)

/** The type of a number of TensorProto.DataType. @throws FormatError for one that we do not know */
export function typeNamed(number: number | undefined, what: string): OnnxType {
  const type = typeNames.get(number ?? 0)
  if (type === undefined) throw new FormatError(`${what} is of ONNX's type ${number ?? 0}, which is not read`)
  return type
}

const bytesOf: Readonly<Record<OnnxType, number>> = {
  ...{ float32: 4, uint8: 1, int8: 1, int32: 4, int64: 8, bool: 1, float16: 2, float64: 8, bfloat16: 2 },
}

/** More would be no classifier's. */
const MAX_ELEMENTS = 2 ** 31
const MAX_RANK = 8

/** Whole numbers of 64 bits. Beyond 2^53, which only "to the end" is, they are rounded. */
const fromInt64 = (buffer: ArrayBuffer): Float64Array => Float64Array.from(new BigInt64Array(buffer), Number)

/** @throws FormatError naming the tensor: of another type, in another file, or with more or fewer numbers than its shape has */
export function knownOf(tensor: Message<'TensorProto'>, fallback: string): Known {
  const name = tensor.name || fallback
  const what = `tensor '${name}'`
  if (tensor.dataLocation === 1 || tensor.externalData.length > 0) {
    const place = tensor.externalData.find(({ key }) => key === 'location')?.value
    throw new FormatError(
      `${what} lies in another file${place === undefined ? '' : `, '${place}'`}: save the model as one file`,
    )
  }
  const type = typeNamed(tensor.dataType, what)
  const { dims } = tensor
  if (
    dims.length > MAX_RANK ||
    dims.some(size => !Number.isSafeInteger(size) || size < 0) ||
    elements(dims) > MAX_ELEMENTS
  ) {
    throw new FormatError(`${what} has a shape that no tensor has: ${formatShape(dims.slice(0, MAX_RANK))}`)
  }
  const count = elements(dims)
  const expectBytes = (bytes: Uint8Array, width: number): ArrayBuffer => {
    if (bytes.length !== count * width) {
      throw new FormatError(
        `${what} is ${type} ${formatShape(dims)}, which takes ${count * width} bytes, and it has ${bytes.length}`,
      )
    }
    // A copy: the bytes may lie at any address.
    return new Uint8Array(bytes).buffer
  }
  return { dims, type, name, values: numbers() }

  function numbers(): HostArray {
    const { rawData, floatData, int32Data, int64Data, doubleData } = tensor
    if (rawData !== undefined) return fromBytes(expectBytes(rawData, bytesOf[type]), type)
    if (type === 'float32') return new Float32Array(expectBytes(floatData, 4))
    if (type === 'float64') return new Float64Array(expectBytes(doubleData, 8))
    const whole = varints(type === 'int64' ? int64Data : int32Data, count, what)
    if (type === 'float16' || type === 'bfloat16') return decodeHalf(Uint16Array.from(whole), type)
    return type === 'int64' ? whole : arrayOf(type).from(whole)
  }
}

/** @throws FormatError unless there are `count` of them */
function varints(bytes: Uint8Array, count: number, what: string): Float64Array {
  let found = 0
  for (const byte of bytes) if (byte < 0x80) found++
  if (found !== count) throw new FormatError(`${what} has ${found} numbers, its shape has ${count}`)
  const values = new Float64Array(count)
  let bits = 0n
  let shift = 0n
  let at = 0
  for (const byte of bytes) {
    bits |= BigInt(byte & 0x7f) << shift
    shift += 7n
    if (shift > 70n) throw new FormatError(`${what} has a number of more than 64 bits`)
    if (byte >= 0x80) continue
    values[at++] = Number(BigInt.asIntN(64, bits))
    bits = 0n
    shift = 0n
  }
  return values
}

const arrayOf = (type: 'uint8' | 'int8' | 'int32' | 'bool') =>
  type === 'uint8' || type === 'bool' ? Uint8Array : type === 'int8' ? Int8Array : Int32Array

function fromBytes(buffer: ArrayBuffer, type: OnnxType): HostArray {
  switch (type) {
    case 'float32':
      return new Float32Array(buffer)
    case 'float64':
      return new Float64Array(buffer)
    case 'int64':
      return fromInt64(buffer)
    case 'float16':
    case 'bfloat16':
      return decodeHalf(new Uint16Array(buffer), type)
    default:
      return new (arrayOf(type))(buffer)
  }
}
