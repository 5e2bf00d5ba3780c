/** @file What a tensor is to the graph: a shape and a data type. Knows nothing of values, memory or operators. */

/** Element types, by the names that ONNX and NumPy use too. */
export const dtypes = ['float64', 'float32', 'bfloat16', 'float16', 'int32', 'int8', 'uint8'] as const
/** One of `dtypes`. */
export type DType = (typeof dtypes)[number]

/** Dimensions; activations are NHWC, convolution weights [out, in/groups, kh, kw], linear weights [out, in]. */
export type Shape = readonly number[]

/** What is known of a value before it is computed. */
export interface TensorType {
  readonly shape: Shape
  readonly dtype: DType
}

const bytesOf: Record<DType, 1 | 2 | 4 | 8> = {
  float64: 8,
  float32: 4,
  bfloat16: 2,
  float16: 2,
  int32: 4,
  int8: 1,
  uint8: 1,
}

/** Bytes of one element. */
export const bytesPerElement = (dtype: DType): 1 | 2 | 4 | 8 => bytesOf[dtype]

/** Whether values of this type have gradients. */
export const isFloat = (dtype: DType): boolean => dtype.includes('float')

const integers: Partial<Record<DType, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int8: [-128, 127],
  uint8: [0, 255],
}

/** The smallest and largest number of an integer type; undefined for floats. */
export const integerRange = (dtype: DType): readonly [number, number] | undefined => integers[dtype]

/** Number of elements; 1 for a scalar (shape []). */
export const elements = (shape: Shape): number => shape.reduce((product, size) => product * size, 1)

/** Bytes of a tensor in its plain, dense layout. */
export const tensorBytes = (type: TensorType): number => elements(type.shape) * bytesPerElement(type.dtype)

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i])

/** '2×32×32×3', or 'scalar'. */
export const formatShape = (shape: Shape): string => (shape.length === 0 ? 'scalar' : shape.join('×'))

/**
 * The shape two tensors broadcast to, by NumPy's rule (aligned at the last dimension).
 * @returns undefined when they do not fit
 */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length)
  const result: number[] = []
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1
    const y = b[b.length - rank + i] ?? 1
    if (x !== y && x !== 1 && y !== 1) return undefined
    result.push(Math.max(x, y))
  }
  return result
}
