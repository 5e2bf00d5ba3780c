/**
 * @file The native engine agrees with the float64 reference on every case of every operator, forward and backward, on
 * each instruction set that this processor has, in float32 and in the 16-bit types; `generic`: as where oneDNN has no convolutions.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { referenceEngine } from '../../fovea/src/engines/reference/reference.js'
import { roundArrayToHalf } from '../../fovea/src/graph/float16.js'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { cast } from '../../fovea/src/ops/cast.js'
import { ops } from '../../fovea/src/ops/index.js'
import { agreesIn, agreesInFloat32, keepsWhatIsNoNumber } from '../../fovea/test/engines/conformance.js'
import { onednnEngine, onednnStatus } from '../src/index.js'
import { differences, epsilon, withinEach } from './differences.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

afterEach(() => {
  delete process.env['FOVEA_ISA']
})

const engine = () => onednnEngine({ threads: 2 })

/** Runs tests with the kernels of an instruction set. */
const on = (isa: string, tests: () => void): void => {
  beforeEach(() => {
    process.env['FOVEA_ISA'] = isa
  })
  tests()
}

describe.skipIf(!available).each(['avx512_bf16', 'avx2', 'sse', 'generic'])('float32, %s', isa =>
  on(isa, () => agreesInFloat32(engine)),
)

describe.skipIf(!available).each([
  ['bfloat16', 'avx512_amx'],
  ['bfloat16', 'avx512_bf16'],
  ['float16', 'avx512'],
  ['float16', 'avx2'],
  ['float16', 'generic'],
] as const)('%s, %s', (half, isa) => on(isa, () => agreesIn(half, engine, 'oneDNN')))

describe.skipIf(!available).each(['avx512_bf16', 'avx2', 'generic'])('what is no number stays none, %s', isa =>
  on(isa, () => keepsWhatIsNoNumber(engine)),
)

test.skipIf(!available)('a type that the engine lacks is refused by name', async () => {
  const builder = new GraphBuilder()
  builder.output('y', builder.emit(cast, [builder.input('x', [3])], { dtype: 'float64' }, 'wide'))
  await expect(onednnEngine().compile(builder.build())).rejects.toThrow("the oneDNN engine has no float64 ('wide')")
})

test.skipIf(!available)('state of a type that the engine lacks is refused by name', async () => {
  const builder = new GraphBuilder()
  builder.output(
    'y',
    builder.emit(cast, [builder.buffer('codes', [3], { type: 'ones' }, 'float64')], { dtype: 'float32' }),
  )
  await expect(onednnEngine().compile(builder.build())).rejects.toThrow("the oneDNN engine has no float64 ('codes')")
})

test.skipIf(!available)('a kernel of floats refuses integers by name', async () => {
  const builder = new GraphBuilder()
  const x = builder.input('x', [3], 'uint8')
  builder.output('y', builder.emit(ops.add, [x, x], {}, 'sum'))
  await expect(onednnEngine().compile(builder.build())).rejects.toThrow(
    "the oneDNN engine has no add of uint8 ('sum'): cast it to float32",
  )
})

test.skipIf(!available).each(['bfloat16', 'float16'] as const)(
  'weights, images and constants of %s are fed, kept and given back',
  async dtype => {
    const builder = new GraphBuilder()
    const x = builder.input('x', [2, 5, 5, 16], dtype)
    const weight = builder.parameter('weight', [32, 16, 3, 3], { type: 'zeros' }, dtype)
    const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const
    const y = builder.emit(ops.conv2d, [x, weight], attrs)
    const shift = builder.constant(
      Array.from({ length: 32 }, (_, i) => i / 8 - 2),
      [32],
      dtype,
    )
    builder.output('y', builder.emit(ops.add, [y, shift], {}))
    const graph = builder.build()
    const values = (length: number, seed: number) => {
      const numbers = Float32Array.from({ length }, (_, i) => Math.sin(seed * (i + 1)))
      roundArrayToHalf(numbers, dtype)
      return numbers
    }
    const weights = values(32 * 16 * 9, 1)
    const results = await Promise.all(
      [referenceEngine(), onednnEngine({ threads: 2 })].map(async engine => {
        const program = await engine.compile(graph)
        await program.write('weight', weights)
        const { y } = await program.run({ x: values(2 * 25 * 16, 2) })
        expect(await program.read('weight')).toEqual(weights)
        return y
      }),
    )
    const [expected, actual] = results
    expect(actual).toBeInstanceOf(Float32Array)
    const largest = Math.max(...Array.from(expected, Math.abs))
    for (const [i, value] of expected.entries())
      expect(Math.abs(actual[i] - value)).toBeLessThan(4 * epsilon[dtype] * largest)
  },
)

test.skipIf(!available)('updates happen at once and after the outputs, on every engine', async () => {
  const builder = new GraphBuilder()
  const [a, b] = ['a', 'b'].map(name => builder.buffer(name, [4], { type: 'zeros' }))
  const weight = builder.parameter('weight', [4], { type: 'zeros' })
  const attrs = { momentum: 0, nesterov: false, weightDecay: 0 }
  const next = builder.emit(
    ops.sgd,
    [weight, builder.input('gradient', [4]), builder.constant(1), builder.constant(1)],
    attrs,
  )
  builder.output('old', weight)
  builder.output('view', builder.emit(ops.reshape, [weight], { shape: [2, 2] }))
  builder.output('next', next)
  builder.update(weight, next)
  builder.update(a, b)
  builder.update(b, a)
  const graph = builder.build()
  const results = await Promise.all(
    [referenceEngine(), onednnEngine({ threads: 2 })].map(async engine => {
      const program = await engine.compile(graph)
      for (const [i, name] of ['a', 'b', 'weight'].entries()) await program.write(name, Float32Array.of(i, 1, 2, 3))
      const outputs = await program.run({ gradient: Float32Array.of(1, 1, 1, 1) })
      return { outputs, state: await Promise.all(['a', 'b', 'weight'].map(name => program.read(name))) }
    }),
  )
  expect(results[1]).toEqual(results[0])
  expect(results[0].outputs['old']).toEqual(Float32Array.of(2, 1, 2, 3))
})

test.skipIf(!available)('several outputs in layouts of oneDNN keep their own memory to the end', async () => {
  const builder = new GraphBuilder()
  const [x, dy] = ['x', 'dy'].map(name => builder.input(name, [2, 4, 4, 16]))
  const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const
  const factors = [x, dy, builder.emit(ops.relu, [x], {}), builder.emit(ops.relu, [dy], {})]
  factors.forEach((factor, i) => {
    const weight = { ...attrs, shape: [16, 16, 3, 3], bias: false }
    builder.output(`dw${i}`, builder.emit(ops.conv2dWeightGradient, [factor, dy], weight))
  })
  const values = (seed: number) => Float32Array.from({ length: 512 }, (_, i) => Math.sin(seed * (i + 1)))
  withinEach(await differences({ graph: builder.build(), feeds: { x: values(1), dy: values(2) } }), 2e-5)
})

test.skipIf(!available)(
  'a batch-norm by the statistics of another one uses its own weight, bias and epsilon',
  async () => {
    const builder = new GraphBuilder()
    const x = builder.input('x', [2, 4, 4, 8])
    const perChannel = (value: number) => builder.constant(value, [8])
    const own = [perChannel(1), perChannel(0)]
    const norm = builder.emitAll(ops.batchNormTraining, [x, ...own], { epsilon: 1e-5 })
    builder.output('first', norm[0])
    const others = { same: [own, 1e-5], other: [[perChannel(3), perChannel(5)], 1e-5], epsilon: [own, 1] } as const
    for (const [name, [scale, epsilon]] of Object.entries(others)) {
      builder.output(name, builder.emit(ops.batchNorm, [x, ...scale, norm[1], norm[2]], { epsilon, momentum: 0.1 }))
    }
    const feeds = { x: Float32Array.from({ length: 256 }, (_, i) => Math.sin(i)) }
    withinEach(await differences({ graph: builder.build(), feeds }), 1e-5)
  },
)

test.skipIf(!available)('sums over the batch add up where each thread has several slices', async () => {
  const shape = [8, 28, 28, 96] // An image and its gradient fill a slice.
  const builder = new GraphBuilder()
  const [x, dy] = ['x', 'dy'].map(name => builder.input(name, shape))
  const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 96 } as const
  builder.output('dw', builder.emit(ops.conv2dWeightGradient, [x, dy], { ...attrs, shape: [96, 1, 3, 3], bias: false }))
  const [weight, bias] = [builder.constant(2, [96]), builder.constant(1, [96])]
  const epsilon = { epsilon: 1e-5, activation: 'silu' } as const
  const norm = builder.emitAll(ops.batchNormTraining, [x, weight, bias], epsilon)
  const gradients = builder.emitAll(ops.batchNormGradient, [dy, x, norm[0], weight, bias, norm[1], norm[2]], epsilon)
  for (const [i, value] of [...norm, ...gradients].entries()) builder.output(`norm${i}`, value)
  const values = (seed: number) => Float32Array.from({ length: 8 * 28 * 28 * 96 }, (_, i) => Math.sin(seed * (i + 1)))
  withinEach(await differences({ graph: builder.build(), feeds: { x: values(1), dy: values(2) } }), 2e-5)
})
