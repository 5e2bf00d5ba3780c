/** @file Claims about values that lie in layouts of oneDNN's, padded where channels are no whole blocks. */
import { describe, expect, test } from 'vitest'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { normalAt } from '../../fovea/src/random.js'
import { onednnStatus } from '../src/index.js'
import { differences, epsilon, withinEach } from './differences.js'
import { outputShape, type Sample } from './gradient-samples.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const
const values = (length: number, key: number) => Float32Array.from({ length }, (_, i) => normalAt(key, i))

/** What is made of a weight's gradient, in 3 → 5 channels, or in whole blocks of them. */
describe.skipIf(!available).each([
  [3, 5],
  [20, 33],
  [16, 32],
])('from %i to %i channels', (inputs, outputs) => {
  test.each(['float32', 'bfloat16'] as const)(
    'arithmetic by elements and sums of squares, of convolutions in %s',
    async dtype => {
      const builder = new GraphBuilder()
      const image = builder.input('image', [2, 6, 6, inputs])
      const dy = builder.input('dy', [2, 6, 6, outputs])
      const weight = builder.buffer('weight', [outputs, inputs, 3, 3], { type: 'ones' })
      const inType = (value: typeof image) => (dtype === 'float32' ? value : builder.emit(ops.cast, [value], { dtype }))
      const number = builder.constant(3)
      const gradientAttrs = { ...attrs, shape: [outputs, inputs, 3, 3], bias: false }
      const gradient = builder.emit(ops.conv2dWeightGradient, [inType(image), inType(dy)], gradientAttrs)
      const results = {
        gradient,
        more: builder.emit(ops.add, [gradient, number], {}),
        product: builder.emit(ops.multiply, [gradient, number], {}),
        square: builder.emit(ops.multiply, [gradient, gradient], {}),
        sum: builder.emit(ops.add, [gradient, weight], {}),
        both: builder.emit(ops.multiplyAdd, [gradient, gradient, number], {}),
        all: builder.emit(ops.multiplyAdd, [gradient, number, weight], {}),
      }
      for (const [name, value] of Object.entries(results)) {
        builder.output(name, value)
        const squares = builder.emit(ops.productSum, [value, value], { axes: [0, 1, 2, 3], keepDims: false })
        builder.output(`${name} squared`, squares)
      }
      const feeds = { image: values(2 * 36 * inputs, 1), dy: values(2 * 36 * outputs, 2) }
      const errors = await differences({ graph: builder.build(), feeds })
      expect(Object.keys(errors)).toHaveLength(14)
      withinEach(errors, dtype === 'float32' ? 1e-5 : 2 * epsilon.bfloat16)
    },
  )
})

/** A weight that lies in tiles, as its gradient does, is packed for the convolution and for the gradient by input, and rounded as it lies. */
describe.skipIf(!available).each([
  ['3×3', { x: [2, 8, 8, 32], outputs: 64, kernel: [3, 3], padding: [1, 1, 1, 1] }],
  ['3×3, stride 2', { x: [2, 8, 12, 16], outputs: 48, kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] }],
  ['1×1, stride 2', { x: [2, 8, 8, 64], outputs: 128, kernel: [1, 1], stride: [2, 2] }],
  ['2×5', { x: [4, 7, 9, 96], outputs: 32, kernel: [2, 5], padding: [1, 0, 2, 2] }],
  ['channels that are no whole tiles', { x: [2, 8, 8, 24], outputs: 40, kernel: [3, 3], padding: [1, 1, 1, 1] }],
] as const satisfies readonly (readonly [string, Sample])[])('%s', (_, sample: Sample) => {
  test.each(['float32', 'bfloat16'] as const)('in %s', async dtype => {
    const { x: shape, outputs, kernel, stride = [1, 1], padding = [0, 0, 0, 0] } = sample
    const geometry = { stride, padding, dilation: [1, 1], groups: 1 } as const
    const builder = new GraphBuilder()
    const weight = builder.buffer('weight', [outputs, shape[3], ...kernel], { type: 'zeros' })
    const of = (value: typeof weight) => builder.emit(ops.cast, [value], { dtype })
    const [image, dy] = [builder.input('image', shape), builder.input('dy', outputShape(sample))].map(of)
    const gradient = builder.emit(ops.conv2dWeightGradient, [image, dy], {
      ...geometry,
      shape: [outputs, shape[3], ...kernel],
      bias: false,
    })
    const rounded = builder.emit(ops.fakeQuantizeWeights, [weight], { largest: 127 })
    const results = {
      rounded,
      ofRounded: builder.emit(ops.conv2d, [image, of(rounded)], geometry),
      y: builder.emit(ops.conv2d, [image, of(weight)], geometry),
      dx: builder.emit(ops.conv2dInputGradient, [dy, of(weight)], { ...geometry, shape }),
      next: builder.emit(ops.add, [gradient, weight], {}),
    }
    for (const [name, value] of Object.entries(results)) {
      builder.output(name, builder.emit(ops.cast, [value], { dtype: 'float32' }))
    }
    const count = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b)
    const states = { weight: values(count(weight.type.shape), 3) }
    const feeds = { image: values(count(shape), 1), dy: values(count(outputShape(sample)), 2) }
    const errors = await differences({ graph: builder.build(), feeds, states })
    withinEach(errors, dtype === 'float32' ? 3e-5 : 2 * epsilon.bfloat16)
  })
})
