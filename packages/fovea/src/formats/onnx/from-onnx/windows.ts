/** @file Windows over images: where ONNX pads, and what is pooled. */
import type { Shape } from '../../../graph/types.js'
import { windowedSize } from '../../../ops/conv2d.js'
import type { ReadNode } from '../read-node.js'
import { type Computed, dimsOf, nhwc } from '../reading.js'
import { image, type Row, refuse } from './row.js'

/** [top, bottom, left, right], of a window over an image. */
export function padding(node: ReadNode, size: Shape, kernel: Shape, stride: Shape, dilation: Shape): number[] {
  const mode = node.text('auto_pad', 'NOTSET')
  const sides = [0, 1].map((axis): [number, number] => {
    if (mode === 'VALID') return [0, 0]
    if (mode === 'NOTSET') {
      const pads = node.ints('pads') ?? [0, 0, 0, 0]
      return [pads[axis], pads[axis + 2]]
    }
    const covered = (Math.ceil(size[axis] / stride[axis]) - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1
    const total = Math.max(covered - size[axis], 0)
    const less = Math.floor(total / 2)
    return mode === 'SAME_LOWER' ? [total - less, less] : [less, total - less]
  })
  return sides.flat()
}

export const pair = (node: ReadNode, name: string): readonly number[] => {
  const list = node.ints(name) ?? [1, 1]
  return list.length === 2 ? list : refuse(`${name} has ${list.length} numbers: only images have a form here`)
}

/** The attributes of a pooling. In ceiling mode the last window may stand out at the end. */
function pooling(node: ReadNode, { value }: Computed, dims: Shape) {
  const kernel = node.ints('kernel_shape') ?? refuse('kernel_shape is missing')
  if (kernel.length !== 2) refuse('only images are pooled here')
  const [stride, dilation] = [pair(node, 'strides'), pair(node, 'dilations')]
  if (dilation.some(d => d !== 1)) refuse('its window has gaps')
  const padded = padding(node, dims.slice(2), kernel, stride, dilation)
  if (node.int('ceil_mode', 0) !== 0) {
    for (const axis of [0, 1]) {
      const [size, before, after] = [value.type.shape[axis + 1], padded[2 * axis], padded[2 * axis + 1]]
      const down = windowedSize(size, kernel[axis], stride[axis], before + after)
      const left = size + before + after - kernel[axis] - (down - 1) * stride[axis]
      // A window that would begin behind the image is left out, as PyTorch does.
      if (left > 0 && down * stride[axis] < size + before) padded[2 * axis + 1] = after + stride[axis] - left
    }
  }
  return { kernel, stride, padding: padded }
}

export const poolings: Readonly<Record<string, Row>> = {
  GlobalAveragePool: at => nhwc(at.reading.emit('globalAveragePool', [image(at).value], {}, at.node.name)),
  GlobalMaxPool: at =>
    nhwc(at.reading.emit('reduceMax', [image(at).value], { axes: [1, 2], keepDims: true }, at.node.name)),
  MaxPool: at => {
    const x = image(at)
    return nhwc(at.reading.emit('maxPool', [x.value], pooling(at.node, x, dimsOf(x)), at.node.name))
  },
  AveragePool: at => {
    const { node, reading } = at
    const x = image(at)
    const attrs = pooling(node, x, dimsOf(x))
    const countPadding = node.int('count_include_pad', 0) !== 0
    if (countPadding && node.int('ceil_mode', 0) !== 0) refuse('it counts padding in ceiling mode')
    return nhwc(reading.emit('averagePool', [x.value], { ...attrs, countPadding }, node.name))
  },
}
