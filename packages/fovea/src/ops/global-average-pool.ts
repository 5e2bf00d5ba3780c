/** @file The mean of each channel over the whole image: batch×height×width×channels becomes batch×1×1×channels. */
import type { Shape } from '../graph/types.js'
import { letters, noAxes } from './axes.js'
import { perImage } from './batch.js'
import { defineOp } from './define.js'
import { expectFloat, expectImages, expectShape } from './expect.js'

const pooled = ([n, , , channels]: Shape): Shape => [n, 1, 1, channels]

export const globalAveragePool = defineOp<Record<string, never>>({
  name: 'globalAveragePool',
  batch: perImage([0]),
  memory: [],
  axes: letters('n..c -> n..c'),
  infer: ([x]) => {
    expectImages(x)
    expectFloat('input', x)
    return [{ shape: pooled(x.shape), dtype: x.dtype }]
  },
  gradient: ({ builder, node, inputs: [x], gradients: [dy] }) => [
    dy && builder.emit(globalAveragePoolGradient, [dy], { shape: x.type.shape }, `${node.name}.dx`),
  ],
  reference: ([x], [y]) => {
    const [, h, w, channels] = x.shape
    const image = h * w * channels
    const sums = new Float64Array(y.data.length)
    for (let i = 0; i < x.data.length; i++) sums[Math.floor(i / image) * channels + (i % channels)] += x.data[i]
    y.data.set(sums.map(sum => sum / (h * w)))
  },
})

/** dx of the input's `shape`: dy divided among the pixels. */
export const globalAveragePoolGradient = defineOp<{ readonly shape: Shape }>({
  name: 'globalAveragePoolGradient',
  batch: perImage([0]),
  memory: [],
  axes: noAxes,
  infer: ([dy], { shape }) => {
    expectImages({ shape, dtype: dy.dtype })
    expectShape("the output's gradient", dy, pooled(shape))
    return [{ shape, dtype: dy.dtype }]
  },
  reference: ([dy], [dx]) => {
    const [, h, w, channels] = dx.shape
    const image = h * w * channels
    for (let i = 0; i < dx.data.length; i++) {
      dx.data[i] = dy.data[Math.floor(i / image) * channels + (i % channels)] / (h * w)
    }
  },
})
