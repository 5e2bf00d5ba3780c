/** @file The weight gradient of bfloat16 convolutions against the reference, at sizes that leave rests everywhere. */
import { afterEach, describe, expect, test } from 'vitest'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { onednnEngine, onednnStatus } from '../src/index.js'
import type { NativeProgram } from '../src/program.js'
import { differences, withinEach } from './differences.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

afterEach(() => {
  delete process.env['FOVEA_ISA']
})

interface Sample {
  readonly x: readonly [images: number, height: number, width: number, channels: number]
  readonly outputs: number
  readonly kernel: readonly [number, number]
  readonly stride?: readonly [number, number]
  /** Top, bottom, left, right. */
  readonly padding?: readonly [number, number, number, number]
}

const samples: Readonly<Record<string, Sample>> = {
  'an odd batch': { x: [3, 9, 9, 16], outputs: 32, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'one image': { x: [1, 6, 5, 16], outputs: 16, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'channels that fill no vector': { x: [4, 7, 6, 17], outputs: 50, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'three channels': { x: [4, 8, 8, 3], outputs: 24, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'a vector and a half of outputs': { x: [2, 8, 8, 24], outputs: 40, kernel: [3, 3] },
  'stride 2': { x: [4, 11, 10, 16], outputs: 16, kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] },
  'stride 2, padding behind only': {
    x: [4, 8, 8, 16],
    outputs: 16,
    kernel: [3, 3],
    stride: [2, 2],
    padding: [0, 1, 0, 1],
  },
  'stride beyond the window': { x: [4, 9, 9, 16], outputs: 33, kernel: [1, 1], stride: [2, 3] },
  'a low and wide window': { x: [2, 9, 12, 8], outputs: 8, kernel: [2, 5], stride: [1, 2], padding: [0, 1, 3, 2] },
  'a window larger than the image': { x: [2, 3, 3, 16], outputs: 16, kernel: [7, 7], padding: [3, 3, 3, 3] },
  'padding without a window': { x: [2, 4, 4, 16], outputs: 16, kernel: [1, 1], padding: [1, 1, 1, 1] },
  'several blocks of rows': { x: [2, 64, 64, 16], outputs: 16, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'several blocks of images': { x: [44, 4, 4, 16], outputs: 16, kernel: [1, 1] },
  'more blocks of images': { x: [192, 8, 8, 16], outputs: 16, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'several slices of the batch': { x: [8, 28, 28, 96], outputs: 96, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'many channels': { x: [4, 7, 7, 512], outputs: 96, kernel: [1, 1] },
  'one tile of outputs, several taps of several inputs': { x: [4, 5, 5, 80], outputs: 16, kernel: [3, 3] },
  'images of one pixel': { x: [32, 1, 1, 48], outputs: 32, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'windows that are far larger than images': {
    x: [128, 1, 1, 256],
    outputs: 16,
    kernel: [7, 7],
    padding: [3, 3, 3, 3],
  },
  'weights larger than images, an odd number of tiles': { x: [4, 3, 3, 160], outputs: 144, kernel: [3, 3] },
  'images of two by two': { x: [6, 2, 2, 32], outputs: 48, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'a wide window, three channels, stride 2': {
    x: [4, 30, 30, 3],
    outputs: 64,
    kernel: [7, 7],
    stride: [2, 2],
    padding: [3, 3, 3, 3],
  },
  'stride 3 under a window of 4, little padding': {
    x: [4, 13, 14, 20],
    outputs: 20,
    kernel: [4, 4],
    stride: [3, 3],
    padding: [1, 2, 2, 1],
  },
  'no padding behind, much before': {
    x: [4, 9, 9, 16],
    outputs: 16,
    kernel: [5, 5],
    stride: [2, 2],
    padding: [4, 0, 4, 0],
  },
}

/** The gradient of a convolution's weight, of bfloat16 tensors x and dy. */
function gradientOf({ x, outputs, kernel, stride = [1, 1], padding = [0, 0, 0, 0] }: Sample) {
  const out = (axis: 0 | 1) =>
    Math.floor((x[1 + axis] + padding[2 * axis] + padding[2 * axis + 1] - kernel[axis]) / stride[axis]) + 1
  const shapes = { x, dy: [x[0], out(0), out(1), outputs] }
  const builder = new GraphBuilder()
  const inputs = Object.entries(shapes).map(([name, shape]) =>
    builder.emit(ops.cast, [builder.input(name, shape)], { dtype: 'bfloat16' }),
  )
  const attrs = { stride, padding, dilation: [1, 1], groups: 1 } as const
  const shape = [outputs, x[3], ...kernel]
  builder.output('dw', builder.emit(ops.conv2dWeightGradient, inputs, { ...attrs, shape, bias: false }))
  return { graph: builder.build(), shapes }
}

const values = (shape: readonly number[], seed: number): Float32Array =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(seed * (i + 1)))

describe.skipIf(!available).each(['avx512_amx', 'avx512_bf16', 'avx512', 'generic'])('%s', isa => {
  test.each(Object.entries(samples))('%s', async (_, sample) => {
    process.env['FOVEA_ISA'] = isa
    const { graph, shapes } = gradientOf(sample)
    withinEach(await differences({ graph, feeds: { x: values(shapes.x, 1), dy: values(shapes.dy, 2) } }), 1e-5)
  })
})

test.skipIf(!available)(
  'threads that share one execution add up to the same as threads with slices of their own',
  async () => {
    const { graph, shapes } = gradientOf({ x: [8, 28, 28, 32], outputs: 32, kernel: [3, 3], padding: [1, 1, 1, 1] })
    const feeds = { x: values(shapes.x, 1), dy: values(shapes.dy, 1) }
    const runs = [1, 3].map(threads => onednnEngine({ threads }).compile(graph))
    // Eight images make no equal slices for three threads.
    const [one, three] = await Promise.all(runs.map(async program => Array.from((await program.run(feeds))['dw'])))
    for (const program of runs) program.dispose()
    const largest = Math.max(...one.map(Math.abs))
    expect(Math.max(...one.map((value, i) => Math.abs(value - three[i])))).toBeLessThan(1e-5 * largest)
  },
)

test.skipIf(!available)(
  'a processor with tiles computes it on them, and two runs give the same bits',
  async context => {
    if (!detail.includes('amx')) context.skip(`this processor has no tiles: ${detail}`)
    const { graph, shapes } = gradientOf({ x: [8, 14, 14, 48], outputs: 80, kernel: [3, 3], padding: [1, 1, 1, 1] })
    const feeds = { x: values(shapes.x, 1), dy: values(shapes.dy, 2) }
    const runs = await Promise.all(
      [1, 2].map(async () => {
        const program = onednnEngine({ threads: 2 }).compile(graph) as NativeProgram
        const { dw } = await program.run(feeds)
        const again = await program.run(feeds)
        expect(again['dw']).toEqual(dw)
        const steps = program.plan.loops.flatMap(({ steps }) => steps.map(({ implementation }) => implementation))
        program.dispose()
        expect(steps).toContain('tileWeightGradient')
        return dw
      }),
    )
    expect(runs[0]).toEqual(runs[1])
  },
)
