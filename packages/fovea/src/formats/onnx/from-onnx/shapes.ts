/** @file What moves elements, joins and cuts them. */
import type { Value } from '../../../graph/graph.js'
import { formatShape, sameShape } from '../../../graph/types.js'
import { reshapedDims, squeezedDims, unsqueezedDims } from '../fold.js'
import { type Computed, dimsOf, like, nhwc, plain } from '../reading.js'
import { axisOf, computed, inOrder, type NodeReading, type Row, refuse, sameValue } from './row.js'

/** A value with other sizes, and the same elements in ONNX's order. */
function reshape({ node, reading }: NodeReading, x: Computed, dims: readonly number[]): Computed {
  const from = dimsOf(x)
  if (sameShape(from, dims)) return x
  if (from[0] !== dims[0]) refuse(`${formatShape(from)} becomes ${formatShape(dims)}: it mixes images of the batch`)
  if (x.layout === 'nhwc') {
    const rows = reading.rows(x, node.name)
    return dims.length === 2
      ? rows
      : rows.layout === 'plain'
        ? reshape({ node, reading, inputs: [] }, rows, dims)
        : refuse(`${formatShape(from)} becomes ${formatShape(dims)}: of images, only flattening is read`)
  }
  if (x.layout === 'chw') {
    const [channels, height, width] = x.chw
    if (!sameShape(dims.slice(1), x.chw)) refuse('flattened images are read by a matrix only')
    return nhwc(reading.emit('reshape', [x.value], { shape: [-1, height, width, channels] }, node.name))
  }
  const isPixel = dims.length === 4 && dims[2] * dims[3] === 1
  const shape = isPixel ? [-1, 1, 1, dims[1]] : [-1, ...dims.slice(1)]
  const value = reading.emit('reshape', [x.value], { shape }, node.name)
  return isPixel ? nhwc(value) : plain(value)
}

/**
 * Joined by adding up, each in its place among zeros: operators that prune, train and quantize already. What was joined before is
 * the start of what is joined now, as a DenseNet does again and again.
 */
function joined({ node, reading }: NodeReading, x: Computed, parts: readonly Value[], axis: number): Computed {
  const longest = reading.joins
    .filter(join => join.axis === axis && join.parts.every((part, i) => sameValue(part, parts[i])))
    .sort((a, b) => b.parts.length - a.parts.length)[0]
  const rest = longest ? [longest.value, ...parts.slice(longest.parts.length)] : parts
  const total = rest.reduce((sum, { type }) => sum + type.shape[axis], 0)
  let before = 0
  const placed = rest.map((part, i) => {
    const { shape } = part.type
    const [zeros, ends] = [shape.map(() => 0), shape.map(() => 0)]
    zeros[axis] = before
    ends[axis] = total - before - shape[axis]
    before += shape[axis]
    return reading.emit('pad', [part], { before: zeros, after: ends, value: 0 }, `${node.name}.part${i + 1}`)
  })
  const value = placed.reduce((sum, part) => reading.emit('add', [sum, part], {}, node.name))
  reading.joins.push({ parts, axis, value })
  return like(x, value)
}

export const shapes: Readonly<Record<string, Row>> = {
  Flatten: at => {
    const axis = at.node.int('axis', 1)
    if (axis !== 1) refuse(`it joins the images of a batch (axis ${axis})`)
    return at.reading.rows(computed(at, 0), at.node.name)
  },
  Reshape: at => {
    const x = computed(at, 0)
    const wanted = at.node.list('shape', 1) ?? refuse('its shape is computed from images')
    if (at.node.int('allowzero', 0) !== 0) refuse('allowzero is set')
    return reshape(at, x, reshapedDims(dimsOf(x), wanted))
  },
  Squeeze: at => {
    const x = computed(at, 0)
    const axes = at.node.axes() ?? refuse('its axes are missing: the batch could be one')
    return reshape(at, x, squeezedDims(dimsOf(x), axes))
  },
  Unsqueeze: at => {
    const x = computed(at, 0)
    return reshape(at, x, unsqueezedDims(dimsOf(x), at.node.axes() ?? refuse('its axes are missing')))
  },
  Transpose: at => {
    const x = computed(at, 0)
    const dims = dimsOf(x)
    const order = (at.node.ints('perm') ?? dims.map((_, i) => dims.length - 1 - i)).join()
    if (order === dims.map((_, i) => i).join()) return x
    // The axes lie here as they will.
    if (x.layout === 'nhwc' && order === '0,2,3,1') return plain(x.value)
    if (x.layout === 'plain' && order === '0,3,1,2') return nhwc(x.value)
    return refuse(`only from NCHW to NHWC and back, not [${order}]`)
  },
  Concat: at => {
    const x = computed(at, 0)
    const axis = axisOf(x, at.node.int('axis', 0))
    if (axis === 0) refuse('it joins batches')
    const parts = at.inputs.map((_, i) => computed(at, i))
    if (parts.some(part => part.layout !== x.layout)) refuse('its inputs do not lie alike')
    return parts.length === 1
      ? x
      : joined(
          at,
          x,
          parts.map(({ value }) => value),
          axis,
        )
  },
  Split: at => {
    const { node, reading } = at
    const x = computed(at, 0)
    const axis = axisOf(x, node.int('axis', 0))
    if (axis === 0) refuse('it splits the batch')
    const { shape } = x.value.type
    const each = Math.ceil(shape[axis] / node.outputs.length)
    const sizes = node.list('split', 1) ?? node.outputs.map((_, i) => Math.min(each, shape[axis] - i * each))
    if (sizes.reduce((a, b) => a + b, 0) !== shape[axis]) refuse(`parts of ${sizes.join(', ')} are no ${shape[axis]}`)
    let start = 0
    return sizes.map((size, i) => {
      const from = shape.map((_, k) => (k === axis ? start : 0))
      start += size
      const stop = shape.map((_, k) => (k === axis ? start : -1))
      return like(x, reading.emit('slice', [x.value], { start: from, stop, step: shape.map(() => 1) }, node.outputs[i]))
    })
  },
  Slice: at => {
    const { node, reading } = at
    const x = computed(at, 0)
    const dims = dimsOf(x)
    const { start, dims: left, step } = node.slice(dims)
    if (left[0] !== dims[0]) refuse('it takes some images of a batch')
    const stop = left.map((size, axis) => (size === dims[axis] ? -1 : start[axis] + (size - 1) * step[axis] + 1))
    const attrs = { start: inOrder(x, start), stop: inOrder(x, stop), step: inOrder(x, step) }
    return like(x, reading.emit('slice', [x.value], attrs, node.name))
  },
  Pad: at => {
    const { node, reading } = at
    const x = computed(at, 0)
    if (node.text('mode', 'constant') !== 'constant') refuse(`its mode is ${node.text('mode', '')}`)
    const pads = node.list('pads', 1) ?? refuse('its sizes are computed')
    const rank = x.value.type.shape.length
    if (node.known[3]) refuse('it names its axes')
    const [before, after] = [inOrder(x, pads.slice(0, rank)), inOrder(x, pads.slice(rank))]
    if (pads.length !== 2 * rank || pads[0] + pads[rank] > 0) refuse('it adds images to a batch')
    return like(x, reading.emit('pad', [x.value], { before, after, value: node.scalar('value', 2, 0) }, node.name))
  },
  Identity: at => computed(at, 0),
  Dropout: at =>
    at.node.known[2]?.values[0] ? refuse('it is in training mode: export the model for inference') : computed(at, 0),
  // Floats of any width are float32 here.
  Cast: at => {
    const x = computed(at, 0)
    const to = at.node.int('to', 0)
    return [1, 10, 11].includes(to) && x.value.type.dtype === 'float32' ? x : refuse(`it casts to ONNX's type ${to}`)
  },
}
