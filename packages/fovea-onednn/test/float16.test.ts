/** @file The 16-bit types are rounded bit by bit as the reference rounds; float16 is stored and computed in float32. */

import type { DType, HalfType, Value } from 'fovea/engine'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { referenceEngine } from '../../fovea/src/engines/reference/reference.js'
import { decodeHalf, roundArrayToHalf } from '../../fovea/src/graph/float16.js'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { cast } from '../../fovea/src/ops/cast.js'
import { ops } from '../../fovea/src/ops/index.js'
import { randomAt } from '../../fovea/src/random.js'
import { runOnce } from '../../fovea/test/engines/run-once.js'
import { type OnednnProgram, onednnEngine, onednnStatus } from '../src/index.js'
import { differences, epsilon, withinEach } from './differences.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

afterEach(() => {
  delete process.env['FOVEA_ISA']
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
  const program = await onednnEngine({ threads: 2 }).compile(builder.build())
  const { y } = await program.run({ x })
  program.dispose()
  return y as Float32Array
}

describe.skipIf(!available).each(['avx512_bf16', 'avx2', 'generic'])('casts, %s', isa => {
  beforeEach(() => {
    process.env['FOVEA_ISA'] = isa
  })

  test.each(['float16', 'bfloat16'] as const)('every %s number comes back as it was', async dtype => {
    const numbers = decodeHalf(everyHalf, dtype)
    expect(differing(await through(dtype, numbers), numbers)).toEqual([])
  })

  test.each(['float16', 'bfloat16'] as const)('to %s every number is rounded as the reference does', async dtype => {
    const x = hardNumbers(dtype)
    const rounded = x.slice()
    roundArrayToHalf(rounded, dtype)
    expect(differing(await through(dtype, x), rounded)).toEqual([])
  })

  test('integers are cut towards zero and kept in their range', async () => {
    const x = Float32Array.of(Number.NaN, Number.NEGATIVE_INFINITY, -3e9, -2.9, -0.5, 0.9, 254.9, 255.5, 3e9, 2 ** 31)
    for (const dtype of ['int32', 'uint8'] as const) {
      const builder = new GraphBuilder()
      builder.output('y', builder.emit(cast, [builder.input('x', [x.length])], { dtype }))
      const graph = builder.build()
      expect(await runOnce(onednnEngine(), graph, { x })).toEqual(await runOnce(referenceEngine(), graph, { x }))
    }
  })
})

test.skipIf(!available)('float16 is stored, and computed in float32', () => {
  const engine = onednnEngine()
  expect(engine.arithmetic('float32')).toBe('native')
  expect(engine.arithmetic('float16')).toBe('widened')
  expect(['native', 'widened']).toContain(engine.arithmetic('bfloat16'))
  expect(['native', 'widened']).toContain(engine.arithmetic('int8'))
  expect(engine.arithmetic('int32')).toBe('none')
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

test.skipIf(!available)('between convolutions of float16, within a loop, a value stays float32', async () => {
  const builder = new GraphBuilder()
  const half = (value: Value) => builder.emit(cast, [value], { dtype: 'float16' })
  const x = half(builder.input('x', [4, 8, 8, 16]))
  const weight = half(builder.input('weight', [16, 16, 5, 5]))
  const bias = builder.input('bias', [16])
  const attrs = { stride: [1, 1], padding: [2, 2, 2, 2], dilation: [1, 1], groups: 1 } as const
  const convolution = (name: string, input: Value, ...residual: Value[]) =>
    builder.emit(ops.conv2d, [input, weight, bias, ...residual], attrs, name)
  const first = convolution('first', x)
  const second = convolution('second', first)
  const sum = convolution('sum', second, first)
  const last = convolution('last', sum)
  const both = builder.emit(ops.add, [last, builder.emit(ops.relu, [last], {})], {})
  builder.output('y', builder.emit(cast, [both], { dtype: 'float32' }))
  const graph = builder.build()
  const values = (seed: number, length: number) => Float32Array.from({ length }, (_, i) => Math.sin(seed * (i + 1)) / 4)
  const feeds = { x: values(1, 4096), weight: values(2, 6400), bias: values(3, 16) }
  withinEach(await differences({ graph, feeds }), 8 * epsilon.float16)

  const program = (await onednnEngine({ threads: 2 }).compile(graph)) as OnednnProgram
  program.profiling = true
  await program.run(feeds)
  const casts = program
    .profile()
    .filter(({ node, implementation }) => node.op === 'conv2d' && implementation === 'cast')
  expect(casts.map(({ node }) => node.name)).toEqual(['first', 'last'])
})
