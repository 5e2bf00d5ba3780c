/** @file Everything that walks a tensor in steps: broadcasting arithmetic, reductions, slices, padding, views. */
import {
  denseStrides,
  elements,
  type Node,
  type PadAttributes,
  type ReductionAttributes,
  type Shape,
  type SliceAttributes,
  sameShape,
  tensorBytes,
  type Value,
} from 'fovea/engine'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import { inFloat32, type Lower, output } from './operator.js'

/** Axes that walk together: sizes, and for each tensor the step along the axis. */
interface Axis {
  readonly size: number
  readonly strides: readonly number[]
}

/** Drops axes of size 1 and joins neighbours that every tensor walks without a gap. Leaves at least one axis. */
function collapse(axes: readonly Axis[]): Axis[] {
  const joined: Axis[] = []
  for (const axis of axes.filter(({ size }) => size !== 1)) {
    const last = joined.at(-1)
    if (last?.strides.every((stride, t) => stride === axis.size * axis.strides[t])) {
      joined[joined.length - 1] = { size: last.size * axis.size, strides: axis.strides }
    } else {
      joined.push(axis)
    }
  }
  return joined.length > 0 ? joined : [{ size: 1, strides: axes[0]?.strides.map(() => 1) ?? [1, 1] }]
}

/** The strides of a tensor of shape `from` where it is broadcast to the rank and sizes of `to`. */
function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = denseStrides(from)
  return to.map((_, axis) => {
    const own = axis - (to.length - from.length)
    return own < 0 || from[own] === 1 ? 0 : strides[own]
  })
}

const flat = (axes: readonly Axis[]): number[] => {
  const tensors = axes[0].strides.length
  const strides = Array.from({ length: tensors }, (_, t) => axes.map(axis => axis.strides[t]))
  return [...axes.map(axis => axis.size), ...strides.flat()]
}

/** y = a ∘ b, both broadcast to the output's shape; operation 0 adds, 1 multiplies. */
function arithmetic(
  to: Lowering,
  node: Node,
  operation: number,
  shapes: readonly [Shape, Shape],
  reads: readonly Operand[],
  y: Operand,
): void {
  const { shape } = node.outputs[0]
  const [sa, sb] = shapes.map(from => broadcastStrides(from, shape))
  const axes = collapse(shape.map((size, axis) => ({ size, strides: [sa[axis], sb[axis]] })))
  const ints = [operation, to.float(node.outputs[0]), axes.length, ...flat(axes)]
  to.kernel('binary', { reads, writes: [y], ints })
}

const binary =
  (operation: number): Lower =>
  (to, node) => {
    const [a, b] = node.inputs
    const inputs = [to.read(a), to.read(b)]
    arithmetic(to, node, operation, [a.type.shape, b.type.shape], inputs, to.write())
  }

/** b and c per image and channel, one kernel; else two passes. */
const multiplyAdd: Lower = (to, node) => {
  const [a, b, c] = node.inputs
  const { shape } = a.type
  const columns = shape.at(-1) ?? 1
  const perImage = [shape[0], ...shape.slice(1, -1).map(() => 1), columns]
  if (shape.length > 1 && [b, c].every(value => sameShape(value.type.shape, perImage))) {
    const rows = elements(shape) / columns
    const ints = [to.float(a.type), rows, columns, rows / shape[0]]
    to.kernel('multiplyAdd', { reads: [to.read(a), to.read(b), to.read(c)], writes: [to.write()], ints })
    return
  }
  const product = to.scratch(tensorBytes(node.outputs[0]))
  const y = to.write()
  arithmetic(to, node, 1, [a.type.shape, b.type.shape], [to.read(a), to.read(b)], product)
  arithmetic(to, node, 0, [shape, c.type.shape], [product, to.read(c)], y)
}

interface Copy {
  readonly x: Value
  readonly dims: Shape
  readonly from: { readonly offset: number; readonly strides: readonly number[] }
  readonly to: { readonly offset: number; readonly strides: readonly number[] }
  /** What the rest of the output is filled with; undefined when the copy covers all of it. */
  readonly fill?: number
  readonly scale?: number
}

function stridedCopy(lowering: Lowering, node: Node, { x, dims, from, to, fill, scale }: Copy): void {
  const axes = collapse(dims.map((size, axis) => ({ size, strides: [from.strides[axis], to.strides[axis]] })))
  const covered = fill === undefined ? 0 : 1
  const ints = [lowering.float(x.type), covered, elements(node.outputs[0].shape), from.offset, to.offset, axes.length]
  const data = { reads: [lowering.read(x)], writes: [lowering.write()], floats: [fill ?? 0, scale ?? 1] }
  lowering.kernel('stridedCopy', { ...data, ints: [...ints, ...flat(axes)] })
}

const offsetOf = (strides: readonly number[], start: readonly number[]): number =>
  strides.reduce((sum, stride, axis) => sum + stride * start[axis], 0)

const pad: Lower = (to, node) => {
  const [x] = node.inputs
  const { before, value } = node.attrs as unknown as PadAttributes
  const strides = denseStrides(node.outputs[0].shape)
  stridedCopy(to, node, {
    x,
    dims: x.type.shape,
    from: { offset: 0, strides: denseStrides(x.type.shape) },
    to: { offset: offsetOf(strides, before), strides },
    fill: value,
  })
}

const sliced = (whole: Shape, { start, step }: SliceAttributes) => {
  const strides = denseStrides(whole)
  return { offset: offsetOf(strides, start), strides: strides.map((stride, axis) => stride * step[axis]) }
}

const slice: Lower = (to, node) => {
  const [x] = node.inputs
  const { shape } = node.outputs[0]
  const from = sliced(x.type.shape, node.attrs as unknown as SliceAttributes)
  stridedCopy(to, node, { x, dims: shape, from, to: { offset: 0, strides: denseStrides(shape) } })
}

const sliceGradient: Lower = (to, node) => {
  const [dy] = node.inputs
  const { shape } = dy.type
  const target = sliced(node.outputs[0].shape, node.attrs as unknown as SliceAttributes)
  stridedCopy(to, node, { x: dy, dims: shape, from: { offset: 0, strides: denseStrides(shape) }, to: target, fill: 0 })
}

const broadcast =
  (scaleOf: (node: Node) => number): Lower =>
  (to, node) => {
    const [x] = node.inputs
    const { shape } = node.outputs[0]
    stridedCopy(to, node, {
      x,
      dims: shape,
      from: { offset: 0, strides: broadcastStrides(x.type.shape, shape) },
      to: { offset: 0, strides: denseStrides(shape) },
      scale: scaleOf(node),
    })
  }

const view: Lower = (to, node) => {
  const [x] = node.inputs
  to.read(x)
  to.alias(0, x)
}

/** Kept axes first, then reduced ones: their sizes and their strides in x. */
function reductionAxes(shape: Shape, axes: readonly number[]): number[] {
  const strides = denseStrides(shape)
  const all = shape.map((size, axis) => ({ size, strides: [strides[axis]], reduced: axes.includes(axis) }))
  const kept = collapse(all.filter(({ reduced }) => !reduced).concat({ size: 1, strides: [1], reduced: false }))
  const gone = collapse(all.filter(({ reduced }) => reduced).concat({ size: 1, strides: [1], reduced: true }))
  return [kept.length, gone.length, ...flat(kept), ...flat(gone)]
}

const reduce =
  (operation: number, axesOf = (node: Node) => (node.attrs as unknown as ReductionAttributes).axes): Lower =>
  (to, node) => {
    const [x, factor] = node.inputs
    const ints = [operation, to.float(x.type), ...reductionAxes(x.type.shape, axesOf(node))]
    to.kernel('reduce', { reads: [to.read(x), factor && to.read(factor)], writes: [to.write()], ints })
  }

const reduceMaxGradient: Lower = (to, node) => {
  const [dy, x, y] = node.inputs
  const count = elements(x.type.shape) / elements(y.type.shape)
  const axes = reductionAxes(x.type.shape, (node.attrs as unknown as ReductionAttributes).axes)
  const ints = [elements(y.type.shape), count, ...axes]
  to.kernel('reduceMaxGradient', { reads: [to.read(dy), to.read(x), to.read(y)], writes: [to.write()], ints })
}

const cast: Lower = (to, node) => {
  const [x] = node.inputs
  const y = output(node)
  if (x.type.dtype === y.type.dtype) return view(to, node)
  // A weight is converted by the reorder into the layout of the primitive that reads it.
  if (readOnlyAsWeight(to, to.node)) {
    to.alias(0, x)
    return
  }
  const ints = [elements(x.type.shape), to.type(x.type), to.type(y.type)]
  to.kernel('cast', { reads: [to.read(x)], writes: [to.write()], ints })
}

const weightReaders = ['conv2d', 'linear', 'conv2dInputGradient', 'linearInputGradient']

const readOnlyAsWeight = (to: Lowering, node: Node): boolean =>
  !to.isOutput(node) &&
  to.graph.nodes.every(
    reader =>
      !reader.inputs.some(input => input.node === node) ||
      (weightReaders.includes(reader.op) && reader.inputs[1].node === node),
  )

const identity: Lower = (to, node) => {
  to.writeOnto(node.inputs[0])
}

export const movement = {
  add: binary(0),
  multiply: binary(1),
  multiplyAdd,
  reduceSum: reduce(0),
  productSum: reduce(0),
  reduceMean: reduce(1),
  reduceMax: reduce(2),
  reduceMaxGradient: inFloat32(reduceMaxGradient),
  globalAveragePool: reduce(1, () => [1, 2]),
  globalAveragePoolGradient: broadcast(node => 1 / (node.outputs[0].shape[1] * node.outputs[0].shape[2])),
  broadcastTo: broadcast(() => 1),
  pad,
  slice,
  sliceGradient,
  flatten: view,
  reshape: view,
  cast,
} as const satisfies Record<string, Lower>

/** Dropout and stochastic depth without a seed. */
export { identity }
