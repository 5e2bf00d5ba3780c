/** @file Average pooling. */
import type { Shape } from '../graph/types.js'
import { letters, noAxes } from './axes.js'
import { perImage } from './batch.js'
import { defineOp } from './define.js'
import { expectFloat, expectShape } from './expect.js'
import { forEachPooled, type PoolingAttributes, pooledShape } from './pooling.js'

/** `countPadding`: divide by the whole window (PyTorch's default) instead of by the pixels that are in the image. */
export type AveragePoolAttributes = PoolingAttributes & { readonly countPadding: boolean }

/** How many pixels each output pixel is divided by, at the first channel's offset / channels. */
export function divisors(x: Shape, y: Shape, attrs: AveragePoolAttributes): Float64Array {
  const counts = new Float64Array(y[0] * y[1] * y[2])
  if (attrs.countPadding) return counts.fill(attrs.kernel[0] * attrs.kernel[1])
  forEachPooled(x, y, attrs, (_, yOffset) => counts[yOffset / y[3]]++)
  return counts
}

export const averagePool = defineOp<AveragePoolAttributes>({
  name: 'averagePool',
  batch: perImage([0]),
  memory: [],
  axes: letters('n..c -> n..c'),
  infer: ([x], attrs) => {
    expectFloat('input', x)
    return [{ shape: pooledShape(x.shape, attrs), dtype: x.dtype }]
  },
  gradient: ({ builder, node, attrs, inputs: [x], gradients: [dy] }) => [
    dy && builder.emit(averagePoolGradient, [dy], { ...attrs, shape: x.type.shape }, `${node.name}.dx`),
  ],
  reference: ([x], [y], attrs) => {
    const channels = x.shape[3]
    const counts = divisors(x.shape, y.shape, attrs)
    const sums = new Float64Array(y.data.length)
    forEachPooled(x.shape, y.shape, attrs, (xOffset, yOffset) => {
      for (let c = 0; c < channels; c++) sums[yOffset + c] += x.data[xOffset + c]
    })
    for (let i = 0; i < sums.length; i++) y.data[i] = sums[i] / counts[Math.floor(i / channels)]
  },
})

/** dx of the input's `shape`, from dy. */
export const averagePoolGradient = defineOp<AveragePoolAttributes & { readonly shape: Shape }>({
  name: 'averagePoolGradient',
  batch: perImage([0]),
  memory: [],
  axes: noAxes,
  infer: ([dy], attrs) => {
    expectShape("the output's gradient", dy, pooledShape(attrs.shape, attrs))
    return [{ shape: attrs.shape, dtype: dy.dtype }]
  },
  reference: ([dy], [dx], attrs) => {
    const channels = dx.shape[3]
    const counts = divisors(dx.shape, dy.shape, attrs)
    forEachPooled(dx.shape, dy.shape, attrs, (xOffset, yOffset) => {
      const count = counts[yOffset / channels]
      for (let c = 0; c < channels; c++) dx.data[xOffset + c] += dy.data[yOffset + c] / count
    })
  },
})
