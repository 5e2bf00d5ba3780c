/** @file The weight gradient of bfloat16 convolutions against the reference, at sizes that leave rests everywhere. */
import { afterEach, describe, expect, test } from 'vitest'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { onednnEngine, onednnStatus } from '../src/index.js'
import type { NativeProgram } from '../src/program.js'
import { differences, withinEach } from './differences.js'
import { outputShape, type Sample, samples, values } from './gradient-samples.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

afterEach(() => {
  delete process.env['FOVEA_ISA']
})

/** The gradient of a convolution's weight, of bfloat16 tensors x and dy. */
function gradientOf(sample: Sample) {
  const { x, outputs, kernel, stride = [1, 1], padding = [0, 0, 0, 0] } = sample
  const shapes = { x, dy: outputShape(sample) }
  const builder = new GraphBuilder()
  const inputs = Object.entries(shapes).map(([name, shape]) =>
    builder.emit(ops.cast, [builder.input(name, shape)], { dtype: 'bfloat16' }),
  )
  const attrs = { stride, padding, dilation: [1, 1], groups: 1 } as const
  const shape = [outputs, x[3], ...kernel]
  builder.output('dw', builder.emit(ops.conv2dWeightGradient, inputs, { ...attrs, shape, bias: false }))
  return { graph: builder.build(), shapes }
}

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
    const feeds = { x: values(shapes.x, 1), dy: values(shapes.dy, 2) }
    const runs = await Promise.all([1, 3].map(threads => onednnEngine({ threads }).compile(graph)))
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
        const program = (await onednnEngine({ threads: 2 }).compile(graph)) as NativeProgram
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
