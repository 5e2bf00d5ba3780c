/**
 * @file What of an ONNX graph depends on no image is computed when the file is read: the shapes that exporters compute node by node,
 * weights that are transposed or cast. A small table of ONNX's operators over known numbers.
 */
import { FormatError } from '../../errors.js'
import type { HostArray } from '../../graph/arrays.js'
import { isHalf, roundArrayToHalf } from '../../graph/float16.js'
import { broadcastShapes, elements, type Shape } from '../../graph/types.js'
import { broadcastIndices, denseStrides, permuted, stridedIndices } from '../../ops/strided.js'
import type { Known } from './known.js'
import { typeNamed } from './known.js'
import type { ReadNode } from './read-node.js'

type Fold = (node: ReadNode, inputs: readonly Known[]) => Known

/** Numbers that shapes are computed from are few; what is larger is no shape. */
const MAX_MADE = 1 << 24

const made = (like: Known, dims: Shape, values: HostArray): Known => ({ ...like, dims, values })

/** An array of the same kind. */
const empty = ({ values }: Known, length: number): HostArray =>
  new (values.constructor as new (length: number) => HostArray)(length)

const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)

/** -1 is what is left, 0 the size that was there. */
export function reshapedDims(dims: Shape, wanted: readonly number[]): number[] {
  const sizes = wanted.map((size, i) => (size === 0 ? (dims[i] ?? 0) : size))
  const rest = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1)
  const resolved = sizes.map(size => (size === -1 ? elements(dims) / rest : size))
  const fits = resolved.every(size => Number.isSafeInteger(size) && size >= 0)
  if (!fits || elements(resolved) !== elements(dims) || wanted.filter(size => size === -1).length > 1) {
    throw new FormatError(`${dims.join('×')} does not reshape to [${wanted.join(', ')}]`)
  }
  return resolved
}

/** The sizes that Squeeze and Unsqueeze leave. */
export function squeezedDims(dims: Shape, axes: readonly number[] | undefined): number[] {
  const gone = new Set(
    axes?.map(axis => axisOf(axis, dims.length)) ?? dims.flatMap((size, i) => (size === 1 ? [i] : [])),
  )
  return dims.filter((_, i) => !gone.has(i))
}
export function unsqueezedDims(dims: Shape, axes: readonly number[]): number[] {
  const rank = dims.length + axes.length
  const added = new Set(axes.map(axis => axisOf(axis, rank)))
  const rest = [...dims]
  return Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : (rest.shift() ?? 1)))
}

const binary =
  (f: (a: number, b: number) => number): Fold =>
  (_, [a, b]) => {
    const dims = broadcastShapes(a.dims, b.dims)
    if (dims === undefined || elements(dims) > MAX_MADE) throw new FormatError('the sizes of its inputs do not fit')
    const [fromA, fromB] = [broadcastIndices(a.dims, dims), broadcastIndices(b.dims, dims)]
    const values = empty(a, elements(dims))
    for (let i = 0; i < values.length; i++) values[i] = f(a.values[fromA[i]], b.values[fromB[i]])
    return made(a, dims, values)
  }

const isWhole = ({ type }: Known): boolean => type.startsWith('int') || type.startsWith('uint')

const folds: Readonly<Record<string, Fold>> = {
  Identity: (_, [x]) => x,
  Constant: node => {
    const { t } = node.attribute('value') ?? {}
    if (t === undefined) {
      const floats = node.floatsOf('value_floats') ?? (node.attribute('value_float') && [node.float('value_float', 0)])
      const ints = node.ints('value_ints') ?? (node.attribute('value_int') && [node.int('value_int', 0)])
      const values = floats ? Float32Array.from(floats) : ints ? Float64Array.from(ints) : undefined
      if (values === undefined) throw new FormatError('it has no number as its value')
      const isList = node.attribute('value_floats') !== undefined || node.attribute('value_ints') !== undefined
      const dims = isList ? [values.length] : []
      return { dims, values, type: floats ? 'float32' : 'int64', name: node.outputs[0], isConstant: true }
    }
    return { ...node.tensor(t), name: node.outputs[0], isConstant: true }
  },
  Cast: (node, [x]) => {
    const type = typeNamed(node.int('to', 0), 'its result')
    const isFloat = type.includes('float')
    const values =
      isFloat && type !== 'float64'
        ? Float32Array.from(x.values)
        : Float64Array.from(x.values, isFloat ? v => v : Math.trunc)
    if (isHalf(type)) roundArrayToHalf(values, type)
    if (type === 'int8' || type === 'uint8' || type === 'int32')
      throw new FormatError(`numbers are not cast to ${type}`)
    return { ...x, type, values }
  },
  Transpose: (node, [x]) => {
    const order = node.ints('perm') ?? x.dims.map((_, i) => x.dims.length - 1 - i)
    const isOrder =
      order.length === x.dims.length && new Set(order).size === order.length && order.every(i => i in x.dims)
    if (!isOrder) throw new FormatError(`[${order.join(', ')}] is no order of ${x.dims.length} axes`)
    return made(
      x,
      order.map(i => x.dims[i]),
      permuted(x.values, x.dims, order),
    )
  },
  Reshape: (_, [x, shape]) => made(x, reshapedDims(x.dims, Array.from(shape.values)), x.values),
  Flatten: (node, [x]) => {
    const axis = axisOf(node.int('axis', 1), x.dims.length)
    return made(x, [elements(x.dims.slice(0, axis)), elements(x.dims.slice(axis))], x.values)
  },
  Squeeze: (node, [x]) => made(x, squeezedDims(x.dims, node.axes()), x.values),
  Unsqueeze: (node, [x]) => made(x, unsqueezedDims(x.dims, node.axes() ?? []), x.values),
  Gather: (node, [x, indices]) => {
    const axis = axisOf(node.int('axis', 0), x.dims.length)
    const [outer, size, inner] = [elements(x.dims.slice(0, axis)), x.dims[axis], elements(x.dims.slice(axis + 1))]
    const chosen = Array.from(indices.values, i => (i < 0 ? i + size : i))
    if (size === undefined || chosen.some(i => !(i >= 0 && i < size)))
      throw new FormatError('an index is beyond the axis')
    const dims = [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)]
    if (elements(dims) > MAX_MADE) throw new FormatError('its result is too large')
    const values = empty(x, elements(dims))
    for (let o = 0, to = 0; o < outer; o++) {
      for (const i of chosen) for (let k = 0; k < inner; k++) values[to++] = x.values[(o * size + i) * inner + k]
    }
    return made(x, dims, values)
  },
  Concat: (node, inputs) => {
    const axis = axisOf(node.int('axis', 0), inputs[0].dims.length)
    const outer = elements(inputs[0].dims.slice(0, axis))
    const total = inputs.reduce((sum, { dims }) => sum + dims[axis], 0)
    const values = empty(
      inputs[0],
      inputs.reduce((sum, x) => sum + x.values.length, 0),
    )
    let to = 0
    for (let o = 0; o < outer; o++) {
      for (const x of inputs) {
        const run = x.values.length / outer
        for (let k = 0; k < run; k++) values[to++] = x.values[o * run + k]
      }
    }
    return made(
      inputs[0],
      inputs[0].dims.map((size, i) => (i === axis ? total : size)),
      values,
    )
  },
  Slice: (node, [x]) => {
    const { start, dims, step } = node.slice(x.dims)
    const strides = denseStrides(x.dims)
    const first = start.reduce((sum, at, i) => sum + at * strides[i], 0)
    const from = stridedIndices(
      dims,
      strides.map((stride, i) => stride * step[i]),
      first,
    )
    const values = empty(x, from.length)
    for (let i = 0; i < from.length; i++) values[i] = x.values[from[i]]
    return made(x, dims, values)
  },
  Shape: (node, [x]) => {
    const some = Float64Array.from(x.dims).slice(node.int('start', 0), node.int('end', x.dims.length))
    return { dims: [some.length], type: 'int64', values: some, name: node.outputs[0], isConstant: true }
  },
  ConstantOfShape: (node, [shape]) => {
    const dims = Array.from(shape.values)
    if (!dims.every(size => Number.isSafeInteger(size) && size >= 0) || elements(dims) > MAX_MADE) {
      throw new FormatError(`[${dims.join(', ')}] is no shape that is filled`)
    }
    const { t } = node.attribute('value') ?? {}
    const filler: Known = t ? node.tensor(t) : { dims: [1], type: 'float32', values: new Float32Array(1), name: '' }
    return {
      ...filler,
      dims,
      values: empty(filler, elements(dims)).fill(filler.values[0]),
      name: node.outputs[0],
      isConstant: true,
    }
  },
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: (node, [a, b]) => binary(isWhole(a) ? (x, y) => Math.trunc(x / y) : (x, y) => x / y)(node, [a, b]),
  Sqrt: (_, [x]) => made(x, x.dims, x.values.map(Math.sqrt)),
  Floor: (_, [x]) => made(x, x.dims, x.values.map(Math.floor)),
  Ceil: (_, [x]) => made(x, x.dims, x.values.map(Math.ceil)),
}

/** The result of a node all of whose inputs are known; undefined for an operator that is not in the table. */
export const foldKnown = (node: ReadNode, inputs: readonly Known[]): Known | undefined =>
  Object.hasOwn(folds, node.op) ? folds[node.op](node, inputs) : undefined
