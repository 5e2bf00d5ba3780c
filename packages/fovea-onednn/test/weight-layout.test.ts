/** @file Claims about values that lie in layouts of oneDNN's, padded where channels are no whole blocks. */
import { describe, expect, test } from 'vitest'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { normalAt } from '../../fovea/src/random.js'
import { onednnStatus } from '../src/index.js'
import { differences, epsilon, withinEach } from './differences.js'

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
