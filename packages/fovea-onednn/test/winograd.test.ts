/** @file Convolutions by Winograd's algorithm: where it is taken, and that it agrees with the reference. */
import { afterEach, describe, expect, test } from 'vitest'
import type { Graph } from '../../fovea/src/graph/graph.js'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { type OnednnProgram, onednnEngine, onednnStatus } from '../src/index.js'
import { differences, epsilon, withinEach } from './differences.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

const isWinograd = (name: string): boolean => /^winograd(Convolution|WeightGradient)/.test(name)

const values = (shape: readonly number[], seed: number) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(seed * (i + 1)))
const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const

/** A graph of one convolution or gradient, fed with what its inputs are. */
function graphOf(build: (builder: GraphBuilder) => void): { graph: Graph; feeds: Record<string, Float32Array> } {
  const builder = new GraphBuilder()
  build(builder)
  const graph = builder.build()
  const inputs = graph.nodes.filter(({ op }) => op === 'input')
  return {
    graph,
    feeds: Object.fromEntries(inputs.map(({ name, outputs: [{ shape }] }, i) => [name, values(shape, i + 1)])),
  }
}

async function implementations(graph: Graph, feeds: Record<string, Float32Array>): Promise<string[]> {
  const program = (await onednnEngine({ threads: 2 }).compile(graph)) as OnednnProgram
  program.profiling = true
  await program.run(feeds)
  const names = program.profile().map(({ implementation }) => implementation)
  program.dispose()
  return names
}

/** Sizes that fill no tile of 4×4, channels that differ. */
const shapes = { x: [8, 11, 10, 32], y: [8, 11, 10, 48], weight: [48, 32, 3, 3] } as const
/** Weights that are larger, transformed, than images. */
const large = { x: [12, 7, 8, 144], y: [12, 7, 8, 80], weight: [80, 144, 3, 3] } as const

type Sizes = Readonly<Record<'x' | 'y' | 'weight', readonly number[]>>

const forward = ({ x, weight }: Omit<Sizes, 'y'>, more: object) =>
  graphOf(builder => {
    const inputs = [builder.input('x', x), builder.input('w', weight)]
    builder.output('y', builder.emit(ops.conv2d, inputs, { ...attrs, ...more }))
  })

const weightGradient = (sizes: Sizes) =>
  graphOf(builder => {
    const inputs = [builder.input('x', sizes.x), builder.input('dy', sizes.y)]
    const more = { ...attrs, shape: [...sizes.weight], bias: true }
    const [dw, db] = builder.emitAll(ops.conv2dWeightGradient, inputs, more)
    builder.output('dw', dw)
    builder.output('db', db)
  })

const graphs = {
  'forward, with bias, residual and ReLU': graphOf(builder => {
    const inputs = Object.entries({ x: shapes.x, w: shapes.weight, b: [48], r: shapes.y }).map(([name, shape]) =>
      builder.input(name, shape),
    )
    builder.output('y', builder.emit(ops.conv2d, inputs, { ...attrs, activation: 'relu' }))
  }),
  'forward, with SiLU': forward(shapes, { activation: 'silu' }),
  'forward, without padding': forward(shapes, { padding: [0, 0, 0, 0] }),
  'forward, of many channels': forward(large, {}),
  'gradient by the input': graphOf(builder => {
    const [dy, weight] = [builder.input('dy', shapes.y), builder.input('w', shapes.weight)]
    const more = { ...attrs, shape: [...shapes.x] }
    builder.output('dx', builder.emit(ops.conv2dInputGradient, [dy, weight], more))
  }),
  'gradient by the weight and by the bias': weightGradient(shapes),
  'gradient by a large weight and by the bias': weightGradient(large),
}

afterEach(() => {
  delete process.env['FOVEA_ISA']
})

describe.skipIf(!available).each(Object.entries(graphs))('%s', (_, { graph, feeds }) => {
  test('is by Winograd', async () => {
    expect((await implementations(graph, feeds)).some(isWinograd)).toBe(true)
  })

  test.each(['avx512', 'avx2', 'sse', 'generic'])('agrees with the reference: %s', async isa => {
    process.env['FOVEA_ISA'] = isa
    withinEach(await differences({ graph, feeds }), 2e-5)
  })
})

test.skipIf(!available)('weights that nothing changes are transformed once, and can be written and read', async () => {
  const builder = new GraphBuilder()
  const weight = builder.parameter('weight', shapes.weight, { type: 'zeros' })
  builder.output('y', builder.emit(ops.conv2d, [builder.input('x', shapes.x), weight], attrs))
  const graph = builder.build()
  const program = (await onednnEngine({ threads: 2 }).compile(graph)) as OnednnProgram
  const written = values(shapes.weight, 3)
  await program.write('weight', written)
  program.profiling = true
  const ran: string[][] = []
  for (let i = 0; i < 2; i++) {
    await program.run({ x: values(shapes.x, 1) })
    ran.push(
      program.profile().flatMap(({ implementation, executions }) => (executions.length > 0 ? [implementation] : [])),
    )
  }
  expect(await program.read('weight')).toEqual(written)
  program.dispose()
  const isReorder = (name: string) => name.startsWith('reorder')
  expect(ran.map(names => names.filter(isReorder).length)).toEqual([1, 0])
})

test.skipIf(!available)('float16, which is computed in float32, takes it too', async () => {
  const { graph, feeds } = graphOf(builder => {
    const [x, weight, dy] = Object.entries({ x: shapes.x, w: shapes.weight, dy: shapes.y }).map(([name, shape]) =>
      builder.emit(ops.cast, [builder.input(name, shape)], { dtype: 'float16' }),
    )
    const results = {
      y: builder.emit(ops.conv2d, [x, weight], attrs),
      dx: builder.emit(ops.conv2dInputGradient, [dy, weight], { ...attrs, shape: [...shapes.x] }),
    }
    for (const [name, value] of Object.entries(results)) {
      builder.output(name, builder.emit(ops.cast, [value], { dtype: 'float32' }))
    }
    const more = { ...attrs, shape: [...shapes.weight], bias: false }
    builder.output('dw', builder.emit(ops.conv2dWeightGradient, [x, dy], more))
  })
  const names = await implementations(graph, feeds)
  expect(names.filter(isWinograd).length).toBeGreaterThanOrEqual(3)
  withinEach(await differences({ graph, feeds }), 4 * epsilon.float16)
})

// Where oneDNN has no convolutions of its own, on most of Arm's processors, it pays earlier.
const besideOurs = detail.includes('convolutions of ours')

test.skipIf(!available || besideOurs)(
  'few channels, few tiles, a stride or another window keep the direct way',
  async () => {
    const direct = [
      forward({ x: [8, 11, 10, 24], weight: [16, 24, 3, 3] }, {}),
      forward({ x: [1, 11, 10, 32], weight: [32, 32, 3, 3] }, {}),
      forward({ x: [9, 2, 2, 32], weight: [32, 32, 3, 3] }, {}),
      forward(shapes, { stride: [2, 2] }),
      forward({ x: shapes.x, weight: [32, 32, 1, 1] }, { padding: [0, 0, 0, 0] }),
      forward({ x: shapes.x, weight: [32, 16, 3, 3] }, { groups: 2 }),
    ]
    for (const { graph, feeds } of direct) {
      expect((await implementations(graph, feeds)).some(isWinograd)).toBe(false)
    }
  },
)
