/** @file The gradient of convolutions by their input, in both types, against the reference: where a processor has tiles, by forward convolutions. */
import { describe, expect, test } from 'vitest'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { onednnEngine, onednnStatus } from '../src/index.js'
import type { NativeProgram } from '../src/program.js'
import { differences, withinEach } from './differences.js'
import { outputShape, type Sample, samples, values } from './gradient-samples.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

type Type = 'float32' | 'bfloat16'

/** Depthwise ones: a filter for each channel. */
const depthwise: Readonly<Record<string, Sample>> = {
  '3×3': { x: [4, 9, 8, 48], outputs: 48, kernel: [3, 3], padding: [1, 1, 1, 1] },
  '5×5, channels that fill no vector': { x: [3, 12, 10, 37], outputs: 37, kernel: [5, 5], padding: [2, 2, 2, 2] },
  'padding on one side only': { x: [2, 7, 9, 32], outputs: 32, kernel: [3, 5], padding: [2, 0, 0, 4] },
  'no padding': { x: [4, 9, 9, 16], outputs: 16, kernel: [5, 3] },
  'more padding than window': { x: [2, 5, 6, 16], outputs: 16, kernel: [3, 3], padding: [3, 3, 4, 3] },
  'stride 2': { x: [4, 12, 12, 32], outputs: 32, kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] },
  'stride 2 one way, one image': {
    x: [1, 9, 12, 32],
    outputs: 32,
    kernel: [3, 3],
    stride: [1, 2],
    padding: [1, 1, 1, 1],
  },
  'images of one pixel': { x: [6, 1, 1, 48], outputs: 48, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'a window larger than the image': { x: [2, 3, 3, 20], outputs: 20, kernel: [5, 5], padding: [2, 2, 2, 2] },
}

/** The gradient of a convolution's input, from dy and weight of a type. */
function gradientOf(sample: Sample, dtype: Type, groups = 1) {
  const { x: shape, outputs, kernel, stride = [1, 1], padding = [0, 0, 0, 0] } = sample
  const weightShape = [outputs, shape[3] / groups, ...kernel]
  const feeds = {
    dy: values(outputShape(sample), 1),
    weight: values(weightShape, 2),
  }
  const builder = new GraphBuilder()
  const dy = builder.input('dy', outputShape(sample))
  const weight = builder.input('weight', weightShape)
  const inputs = [dy, weight].map(value => builder.emit(ops.cast, [value], { dtype }))
  const attrs = { stride, padding, dilation: [1, 1], groups, shape } as const
  const dx = builder.emit(ops.conv2dInputGradient, inputs, attrs)
  builder.output('dx', builder.emit(ops.cast, [dx], { dtype: 'float32' }))
  return { graph: builder.build(), feeds }
}

describe.skipIf(!available).each(['float32', 'bfloat16'] as const)('%s', dtype => {
  test.each(Object.entries(samples))('%s', async (_, sample) => {
    withinEach(await differences(gradientOf(sample, dtype)), dtype === 'float32' ? 3e-5 : 5e-3)
  })
  test.each(Object.entries(depthwise))('depthwise, %s', async (_, sample) => {
    // In bfloat16 one unit of the largest results' last digit.
    withinEach(await differences(gradientOf(sample, dtype, sample.outputs)), dtype === 'float32' ? 3e-5 : 1e-2)
  })
})

test.skipIf(!available).for(['float32', 'bfloat16'] as const)(
  'depthwise ones without strides are forward convolutions of the window turned round, in %s',
  async (dtype, context) => {
    const set = dtype === 'float32' ? /avx512/ : /avx512_core_(bf16|amx|fp16)/
    if (!set.test(detail)) context.skip(`oneDNN has its kernel of this type for AVX-512 alone: ${detail}`)
    const sample: Sample = { x: [4, 16, 16, 32], outputs: 32, kernel: [3, 3], padding: [1, 1, 1, 1] }
    const { graph, feeds } = gradientOf(sample, dtype, 32)
    const program = (await onednnEngine({ threads: 2 }).compile(graph)) as NativeProgram
    await program.run(feeds)
    const steps = program.plan.loops.flatMap(({ steps }) => steps.map(({ implementation }) => implementation))
    program.dispose()
    expect(steps.some(name => name.startsWith('brdgmm'))).toBe(true)
    expect(steps).toContain('reorder turned')
  },
)

test.skipIf(!available)('on tiles, strides too are forward convolutions', async context => {
  if (!detail.includes('amx')) context.skip(`this processor has no tiles: ${detail}`)
  const sample: Sample = { x: [4, 16, 16, 32], outputs: 64, kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] }
  const { graph, feeds } = gradientOf(sample, 'bfloat16')
  const program = (await onednnEngine({ threads: 2 }).compile(graph)) as NativeProgram
  const { dx } = await program.run(feeds)
  expect(dx.some(value => value !== 0)).toBe(true)
  const steps = program.plan.loops.flatMap(({ steps }) => steps.map(({ implementation }) => implementation))
  program.dispose()
  expect(steps.some(name => name.startsWith('brg'))).toBe(true)
})
