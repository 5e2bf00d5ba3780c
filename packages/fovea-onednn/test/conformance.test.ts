/**
 * @file The native engine agrees with the float64 reference on every case of every operator, forward and backward, on
 * each instruction set that this processor has, in float32 and in the 16-bit types.
 */

import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type DType, type Graph, type HalfType, isFloat, isHalf, type OpName, type Value } from 'fovea/engine'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { referenceEngine } from '../../fovea/src/engines/reference/reference.js'
import { decodeHalf, roundToHalf } from '../../fovea/src/graph/float16.js'
import { activationOps } from '../../fovea/src/ops/activation.js'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { cast } from '../../fovea/src/ops/cast.js'
import { ops } from '../../fovea/src/ops/index.js'
import { rewriteInto } from '../../fovea/src/passes/rewrite.js'
import { randomAt } from '../../fovea/src/random.js'
import type { CaseGraph } from '../../fovea/test/ops/cases/case.js'
import { caseGraph, operatorCases } from '../../fovea/test/ops/cases/index.js'
import { onednnEngine, onednnStatus } from '../src/index.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

afterEach(() => {
  delete process.env['FOVEA_ISA']
})

/** The largest difference of each output, by the size of the output's largest value (at least 1). */
async function differences({ graph, feeds }: Pick<CaseGraph, 'graph' | 'feeds'>): Promise<Record<string, number>> {
  const expected = referenceEngine({ precision: 'float64' }).compile(graph)
  const actual = onednnEngine({ threads: 2 }).compile(graph)
  const [a, b] = [await expected.run(feeds), await actual.run(feeds)]
  actual.dispose()
  return Object.fromEntries(
    Object.keys(a).map(name => {
      const expectedValues = Float64Array.from(a[name])
      const scale = expectedValues.reduce((most, x) => Math.max(most, Math.abs(x)), 1)
      const error = expectedValues.reduce((most, x, i) => {
        const difference = Math.abs(x - b[name][i])
        return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference)
      }, 0)
      return [name, error / scale]
    }),
  )
}

const withinEach = (errors: Record<string, number>, tolerance: number) => {
  for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(tolerance)
}

/** Cases of a 16-bit cast, which cannot leave the engine as they are. */
const is16Bit = ({ attrs }: (typeof operatorCases)[number]) => /float16$/.test(String(attrs?.['dtype']))
const float32Cases = operatorCases.filter(sample => !is16Bit(sample))

describe.skipIf(!available).each(['avx512', 'avx2', 'generic'])('float32, %s', isa => {
  test.each(float32Cases.map(sample => [`${sample.op}: ${sample.name}`, sample] as const))('%s', async (_, sample) => {
    process.env['FOVEA_ISA'] = isa
    withinEach(await differences(caseGraph(sample)), 2e-5)
  })
})

/** The inputs that travel in a 16-bit type when a model runs in mixed precision; per-channel values stay float32. */
const activationInputs: Partial<Record<OpName, readonly number[]>> = {
  conv2d: [0, 1, 3],
  linear: [0, 1],
  batchNorm: [0, 5],
  batchNormTraining: [0, 3],
  relu: [0],
  relu6: [0],
  silu: [0],
  gelu: [0],
  sigmoid: [0],
  hardSwish: [0],
  maxPool: [0],
  averagePool: [0],
  globalAveragePool: [0],
  add: [0, 1],
  multiply: [0, 1],
  reduceSum: [0],
  cast: [],
  flatten: [0],
  reshape: [0],
  broadcastTo: [0],
  pad: [0],
  slice: [0],
  dropout: [0],
  stochasticDepth: [0],
}

/** The case with these inputs (and dy) cast to a 16-bit type, and every output cast back. */
function inHalf(
  dtype: HalfType,
  { graph, feeds }: CaseGraph,
  inputs: readonly number[],
): { graph: Graph; feeds: CaseGraph['feeds'] } {
  const names = ['dy', ...inputs.map(i => `in${i}`)]
  const builder = new GraphBuilder()
  const bare: Graph = { ...graph, outputs: new Map() }
  const { mapped } = rewriteInto(builder, bare, node => {
    if (node.op !== 'input' || !names.includes(node.name) || !isFloat(node.outputs[0].dtype)) return undefined
    return [builder.emit(cast, [builder.input(node.name, node.outputs[0].shape)], { dtype })]
  })
  for (const [name, value] of graph.outputs) {
    const result = mapped(value)
    builder.output(name, isHalf(result.type.dtype) ? builder.emit(cast, [result], { dtype: 'float32' }) : result)
  }
  return { graph: builder.build(), feeds }
}

const halfCases = operatorCases.filter(({ op }) => activationInputs[op] !== undefined)
/** Half of a unit in the last place of 1. */
const epsilon = { bfloat16: 2 ** -8, float16: 2 ** -11 }

describe.skipIf(!available).each([
  ['bfloat16', 'avx512'],
  ['float16', 'avx512'],
  ['float16', 'avx2'],
  ['float16', 'generic'],
] as const)('%s, %s', (dtype, isa) => {
  test.each(halfCases.map(sample => [`${sample.op}: ${sample.name}`, sample] as const))('%s', async (_, sample) => {
    process.env['FOVEA_ISA'] = isa
    // Both sides round each result, from sums in different orders: two units in the last place of the largest.
    const errors = await differences(inHalf(dtype, caseGraph(sample), activationInputs[sample.op]!))
    withinEach(errors, 4 * epsilon[dtype])
  })
})

const everyHalf = Uint16Array.from({ length: 65536 }, (_, i) => i)

/** Where rounding is decided: half way between the type's numbers, one bit to each side; the ends; anything at all. */
function hardNumbers(dtype: HalfType): Float32Array {
  const numbers = decodeHalf(everyHalf.subarray(0, dtype === 'float16' ? 0x7c00 : 0x7f80), dtype)
  const middles = numbers.slice(1).map((high, i) => high / 2 + numbers[i] / 2)
  const near = [...new Uint32Array(middles.buffer)].flatMap(word => [word - 1, word, word + 1])
  const ends = [65519.996, 65520, 65536, 3.39e38, 3.4e38, 2 ** -25, 1e-45, 0, Number.POSITIVE_INFINITY, Number.NaN]
  const endWords = new Uint32Array(Float32Array.from(ends).buffer)
  const positive = [...near, ...endWords]
  const anything = Array.from({ length: 200_001 }, (_, i) => Math.floor(2 ** 32 * randomAt(1, i)))
  return new Float32Array(Uint32Array.from([...positive, ...positive.map(word => word + 2 ** 31), ...anything]).buffer)
}

/** The first few places where numbers are not the same; zeros have signs. */
const differing = (actual: Float32Array, expected: Float32Array): string[] =>
  [...expected].flatMap((x, i) => (Object.is(x, actual[i]) ? [] : [`${i}: ${actual[i]}, not ${x}`])).slice(0, 5)

/** What the engine makes of numbers that pass through a type. */
async function through(dtype: DType, x: Float32Array): Promise<Float32Array> {
  const builder = new GraphBuilder()
  const there = builder.emit(cast, [builder.input('x', [x.length])], { dtype })
  builder.output('y', builder.emit(cast, [there], { dtype: 'float32' }))
  const program = onednnEngine({ threads: 2 }).compile(builder.build())
  const { y } = await program.run({ x })
  program.dispose()
  return y as Float32Array
}

describe.skipIf(!available).each(['avx512', 'avx2', 'generic'])('casts, %s', isa => {
  beforeEach(() => {
    process.env['FOVEA_ISA'] = isa
  })

  test.each(['float16', 'bfloat16'] as const)('every %s number comes back as it was', async dtype => {
    const numbers = decodeHalf(everyHalf, dtype)
    expect(differing(await through(dtype, numbers), numbers)).toEqual([])
  })

  test.each(['float16', 'bfloat16'] as const)('to %s every number is rounded as the reference does', async dtype => {
    const x = hardNumbers(dtype)
    const rounded = x.map(value => roundToHalf(value, dtype))
    expect(differing(await through(dtype, x), rounded)).toEqual([])
  })

  test('integers are cut towards zero and kept in their range', async () => {
    const x = Float32Array.of(Number.NaN, Number.NEGATIVE_INFINITY, -3e9, -2.9, -0.5, 0.9, 254.9, 255.5, 3e9, 2 ** 31)
    for (const dtype of ['int32', 'uint8'] as const) {
      const builder = new GraphBuilder()
      builder.output('y', builder.emit(cast, [builder.input('x', [x.length])], { dtype }))
      const graph = builder.build()
      expect(await onednnEngine().compile(graph).run({ x })).toEqual(await referenceEngine().compile(graph).run({ x }))
    }
  })
})

describe.skipIf(!available).each(['avx512', 'avx2', 'generic'])('what is no number stays none, %s', isa => {
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e38, -1e38, 0, -0]
  const images = Float32Array.from({ length: 2 * 4 * 4 * 5 }, (_, i) => (i % 3 === 0 ? special[(i / 3) % 7] : i - 80))
  const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] } as const
  const build: Record<string, (builder: GraphBuilder, x: Value) => Value> = {
    ...Object.fromEntries(
      Object.entries(activationOps).map(([name, op]) => [
        name,
        (builder: GraphBuilder, x: Value) => builder.emit(op, [x], {}),
      ]),
    ),
    maxPool: (builder, x) => builder.emit(ops.maxPool, [x], window),
    averagePool: (builder, x) => builder.emit(ops.averagePool, [x], { ...window, countPadding: true }),
    add: (builder, x) => builder.emit(ops.add, [x, x], {}),
    batchNormTraining: (builder, x) => {
      const [weight, bias] = [builder.constant(1, [5]), builder.constant(0, [5])]
      return builder.emit(ops.batchNormTraining, [x, weight, bias], { epsilon: 1e-5, activation: 'silu' })
    },
  }
  test.each(Object.keys(build))('%s', async name => {
    process.env['FOVEA_ISA'] = isa
    const builder = new GraphBuilder()
    builder.output('y', build[name](builder, builder.input('x', [2, 4, 4, 5])))
    const graph = builder.build()
    const [expected, actual] = await Promise.all(
      [referenceEngine(), onednnEngine({ threads: 2 })].map(engine => engine.compile(graph).run({ x: images })),
    )
    const finite = (values: ArrayLike<number>) => Array.from(values, Number.isFinite)
    expect(finite(actual['y'])).toEqual(finite(expected['y']))
    expect(Array.from(actual['y'], Number.isNaN).includes(true)).toBe(true)
  })
})

test.skipIf(!available)('a worker that used the engine may end while others go on', async () => {
  const builder = new GraphBuilder()
  builder.output('y', builder.emit(ops.relu, [builder.input('x', [4])], {}))
  const program = onednnEngine().compile(builder.build())
  const run = () => program.run({ x: Float32Array.of(-1, 0, 1, 2) })
  await run()
  const addon = fileURLToPath(new URL('../build/fovea_onednn.node', import.meta.url))
  const worker = new Worker(
    `const { Plan } = require(${JSON.stringify(addon)})
     const plan = new Plan(2)
     plan.build(64, 0, [[0, 0, 4, 0]], [])
     const array = new Float32Array(1)
     plan.run([[0, array]], [[0, array]], false, true)`,
    { eval: true },
  )
  await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject))
  expect((await run())['y']).toEqual(Float32Array.of(0, 0, 1, 2))
})

test.skipIf(!available)('a type that the engine lacks is refused by name', () => {
  const builder = new GraphBuilder()
  builder.output('y', builder.emit(cast, [builder.input('x', [3])], { dtype: 'int8' }, 'bytes'))
  expect(() => onednnEngine().compile(builder.build())).toThrow("the oneDNN engine has no int8 ('bytes')")
})

test.skipIf(!available)('float16 is stored, and computed in float32', () => {
  const engine = onednnEngine()
  expect(engine.arithmetic('float32')).toBe('native')
  expect(engine.arithmetic('float16')).toBe('widened')
  expect(['native', 'widened']).toContain(engine.arithmetic('bfloat16'))
  expect(engine.arithmetic('int8')).toBe('none')
})

test.skipIf(!available).each(['float16', 'bfloat16'] as const)('weights may be computed in %s', async dtype => {
  const builder = new GraphBuilder()
  const [x, weight] = [builder.input('x', [2, 4, 4, 16]), builder.input('weight', [16, 16, 3, 3])].map(value =>
    builder.emit(cast, [value], { dtype }),
  )
  const sum = builder.emit(ops.add, [weight, weight], {})
  const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const
  const y = builder.emit(ops.conv2d, [builder.emit(ops.conv2d, [x, sum], attrs), sum], attrs)
  builder.output('y', builder.emit(cast, [y], { dtype: 'float32' }))
  const values = (seed: number, length: number) => Float32Array.from({ length }, (_, i) => Math.sin(seed * (i + 1)))
  const feeds = { x: values(1, 512), weight: values(2, 2304) }
  withinEach(await differences({ graph: builder.build(), feeds }), 8 * epsilon[dtype])
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
