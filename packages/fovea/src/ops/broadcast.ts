/** @file What the elementwise operators of two inputs share: NumPy's broadcasting, forward and backward. */
import { ShapeError } from '../errors.js'
import type { Value } from '../graph/graph.js'
import { broadcastShapes, formatShape, type Shape, sameShape, type TensorType } from '../graph/types.js'
import type { GraphBuilder } from './builder.js'
import type { Tensor } from './define.js'
import { productSum } from './product-sum.js'
import { reduceSum } from './reduce-sum.js'
import { reshape } from './reshape.js'
import { broadcastIndices } from './strided.js'

/** The type of an elementwise function of two tensors. */
export function inferBinary([a, b]: readonly TensorType[]): [TensorType] {
  const shape = broadcastShapes(a.shape, b.shape)
  if (shape === undefined) {
    throw new ShapeError(`${formatShape(a.shape)} and ${formatShape(b.shape)} do not broadcast to one shape`)
  }
  if (a.dtype !== b.dtype) throw new ShapeError(`the inputs are ${a.dtype} and ${b.dtype}: cast one of them`)
  return [{ shape, dtype: a.dtype }]
}

/** y = f(a, b), element by element. */
export function applyBinary(a: Tensor, b: Tensor, y: Tensor, f: (a: number, b: number) => number): void {
  if (sameShape(a.shape, b.shape)) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = f(a.data[i], b.data[i])
    return
  }
  const [fromA, fromB] = [broadcastIndices(a.shape, y.shape), broadcastIndices(b.shape, y.shape)]
  for (let i = 0; i < y.data.length; i++) y.data[i] = f(a.data[fromA[i]], b.data[fromB[i]])
}

/** The axes of a tensor of shape `wide` along which one of `shape` was repeated. */
function repeatedAxes(wide: Shape, shape: Shape): number[] {
  const lead = wide.length - shape.length
  return wide.flatMap((size, axis) => (axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : []))
}

/** `value`, reduced with its axes kept, in `shape` exactly. */
const asShape = (builder: GraphBuilder, value: Value, shape: Shape, name: string): Value =>
  sameShape(value.type.shape, shape) ? value : builder.emit(reshape, [value], { shape }, name)

/** The sum of a · b over the axes along which a tensor of `shape` was repeated; a and b are broadcast to one shape. */
export function productSumToShape(builder: GraphBuilder, a: Value, b: Value, shape: Shape, name: string): Value {
  const axes = repeatedAxes(a.type.shape, shape)
  return asShape(builder, builder.emit(productSum, [a, b], { axes, keepDims: true }, name), shape, name)
}

/** The gradient of broadcasting: sums `value` over the axes along which a tensor of `shape` was repeated. */
export function sumToShape(builder: GraphBuilder, value: Value, shape: Shape, name: string): Value {
  const wide = value.type.shape
  if (sameShape(wide, shape)) return value
  const axes = repeatedAxes(wide, shape)
  const sum = axes.length === 0 ? value : builder.emit(reduceSum, [value], { axes, keepDims: true }, name)
  return asShape(builder, sum, shape, name)
}
