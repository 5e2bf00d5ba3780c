/** @file What the elementwise operators of two inputs share: NumPy's broadcasting, forward and backward. */
import { ShapeError } from '../errors.js'
import type { Value } from '../graph/graph.js'
import { broadcastShapes, formatShape, type Shape, sameShape, type TensorType } from '../graph/types.js'
import type { GraphBuilder } from './builder.js'
import type { Tensor } from './define.js'
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

/** The gradient of broadcasting: sums `value` over the axes along which a tensor of `shape` was repeated. */
export function sumToShape(builder: GraphBuilder, value: Value, shape: Shape, name: string): Value {
  const wide = value.type.shape
  if (sameShape(wide, shape)) return value
  const lead = wide.length - shape.length
  const axes = wide.flatMap((size, axis) => (axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : []))
  const sum = axes.length === 0 ? value : builder.emit(reduceSum, [value], { axes, keepDims: true }, name)
  return sameShape(sum.type.shape, shape) ? sum : builder.emit(reshape, [sum], { shape }, name)
}
