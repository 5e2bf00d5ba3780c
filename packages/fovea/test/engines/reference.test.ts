/** @file The reference engine: feeds, state, updates, precision, memory, life. */

import { describe, expect, test, vi } from 'vitest'
import { defaultEngine } from '../../src/engines/default.js'
import type { Engine } from '../../src/engines/engine.js'
import { formatBytes } from '../../src/engines/memory.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import type { Graph, Value } from '../../src/graph/graph.js'
import type { DType } from '../../src/graph/types.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { programLifetimeTests } from './program-lifetime.js'
import { programOutputTests } from './program-outputs.js'
import { runOnce } from './run-once.js'

const engine = referenceEngine()

/** y = w·x + 1, and w becomes w·x: state, input, constant, update. */
function scaling(): Graph {
  const builder = new GraphBuilder()
  const x = builder.input('x', [3])
  const w = builder.parameter('w', [3], { type: 'ones' })
  const product = builder.emit(ops.multiply, [w, x], {})
  builder.output('y', builder.emit(ops.add, [product, builder.constant(1)], {}))
  builder.update(w, product)
  return builder.build()
}

const ramp = Float32Array.of(1, 2, 3)

describe('state', () => {
  test('starts at zero, is written, updated after a run, and read as a copy', async () => {
    const program = await engine.compile(scaling())
    expect(await program.read('w')).toEqual(Float32Array.of(0, 0, 0))
    const written = Float32Array.of(1, 1, 2)
    await program.write('w', written)
    written.fill(99)
    expect((await program.run({ x: ramp })).y).toEqual(Float32Array.of(2, 3, 7))
    const read = await program.read('w')
    expect(read).toEqual(Float32Array.of(1, 2, 6))
    read.fill(99)
    expect((await program.run({ x: ramp })).y).toEqual(Float32Array.of(2, 5, 19))
  })

  test('all updates happen at once: two states can change places', async () => {
    const builder = new GraphBuilder()
    const [a, b] = ['a', 'b'].map(name => builder.buffer(name, [1], { type: 'zeros' }))
    builder.update(a, b)
    builder.update(b, a)
    const program = await engine.compile(builder.build())
    await program.write('a', Float32Array.of(1))
    await program.write('b', Float32Array.of(2))
    await program.run({})
    expect([await program.read('a'), await program.read('b')]).toEqual([Float32Array.of(2), Float32Array.of(1)])
  })

  test('a failed run changes nothing', async () => {
    const builder = new GraphBuilder()
    const count = builder.buffer('count', [], { type: 'zeros' })
    builder.update(count, builder.emit(ops.add, [count, builder.constant(1)], {}))
    const inputs = [builder.input('logits', [1, 2]), builder.input('label', [1], 'int32')]
    builder.output('loss', builder.emit(ops.crossEntropy, inputs, { labelSmoothing: 0 }))
    const program = await engine.compile(builder.build())
    await expect(program.run({ logits: Float32Array.of(0, 0), label: Int32Array.of(2) })).rejects.toThrow('label 2')
    expect(await program.read('count')).toEqual(Float32Array.of(0))
  })
})

describe('feeds', async () => {
  const program = await engine.compile(scaling())
  test.each([
    ['missing', {}, "input 'x' (float32 3) is not fed"],
    ['of another length', { x: new Float32Array(4) }, "feed 'x': expected float32 3 (3 elements), got 4 elements"],
    ['one number for many', { x: 1 }, "feed 'x': expected float32 3 (3 elements), got one number"],
    ['of another type', { x: new Int32Array(3) }, "feed 'x': expected float32 3, got Int32Array"],
    ['unknown', { x: ramp, xx: ramp }, "unknown input 'xx'; did you mean 'x'?"],
  ])('%s', async (_, feeds, message) => {
    await expect(program.run(feeds as Record<string, Float32Array>)).rejects.toThrow(message)
  })

  test('state of another name or length', async () => {
    await expect(program.read('v')).rejects.toThrow("unknown parameter or buffer 'v'")
    await expect(program.write('w', new Float32Array(2))).rejects.toThrow(
      "write 'w': expected float32 3 (3 elements), got 2",
    )
  })

  test('a number feeds a scalar, and the output is not the feed', async () => {
    const builder = new GraphBuilder()
    const [rate, x] = [builder.input('rate', []), builder.input('x', [3])]
    builder.output('y', builder.emit(ops.multiply, [rate, x], {}))
    builder.output('x', x)
    const outputs = await runOnce(engine, builder.build(), { rate: 2, x: ramp })
    expect(outputs).toEqual({ y: Float32Array.of(2, 4, 6), x: ramp })
    expect(outputs['x']).not.toBe(ramp)
  })
})

describe('precision', () => {
  const third = (dtype: DType) => {
    const builder = new GraphBuilder()
    const scaled = builder.emit(ops.multiply, [builder.input('x', [1]), builder.constant(1 / 3)], {})
    builder.output('y', builder.emit(ops.cast, [scaled], { dtype }))
    return builder.build()
  }

  test('float64 holds doubles, float32 singles', async () => {
    const run = async (precision: 'float32' | 'float64') =>
      (await runOnce(referenceEngine({ precision }), third('float32'), { x: Float32Array.of(1) })).y
    expect(await run('float64')).toEqual(Float64Array.of(1 / 3))
    expect(await run('float32')).toEqual(Float32Array.of(Math.fround(1 / 3)))
  })

  test('values of 16-bit types are rounded to them', async () => {
    const run = async (dtype: DType) => (await runOnce(engine, third(dtype), { x: Float32Array.of(1) })).y[0]
    expect(await run('bfloat16')).toBe(0.333984375)
    expect(await run('float16')).toBe(0.333251953125)
  })
})

test.each([
  ['int8', Int8Array.of(-128, 0, 127)],
  ['uint8', Uint8Array.of(0, 7, 255)],
  ['int32', Int32Array.of(-5, 0, 2 ** 31 - 1)],
  ['bfloat16', Float32Array.of(-0.5, 0.333984375, 1)],
  ['float16', Float32Array.of(-0.5, 0.333251953125, 1)],
] as const)('%s is fed, kept and given back as it is', async (dtype, values) => {
  const builder = new GraphBuilder()
  const kept = builder.buffer('kept', [3], { type: 'zeros' }, dtype)
  builder.output('before', kept)
  builder.output('sum', builder.emit(ops.add, [kept, builder.constant(Array.from(values), [3], dtype)], {}))
  builder.update(kept, builder.input('x', [3], dtype))
  const program = await engine.compile(builder.build())
  await program.write('kept', values)
  const { before, sum } = await program.run({ x: values.slice().fill(0) })
  expect(before).toEqual(values)
  expect(sum.constructor).toBe(values.constructor)
  expect(await program.read('kept')).toEqual(values.slice().fill(0))
  await expect(program.write('kept', values.subarray(1))).rejects.toThrow(
    `write 'kept': expected ${dtype} 3 (3 elements), got 2 elements`,
  )
})

test('how it computes with each type is said', () => {
  const of = (precision: 'float32' | 'float64', dtypes: readonly DType[]) =>
    dtypes.map(dtype => referenceEngine({ precision }).arithmetic(dtype))
  const types = ['float64', 'float32', 'bfloat16', 'float16', 'int8'] as const
  expect(of('float32', types)).toEqual(['none', 'native', 'widened', 'widened', 'native'])
  expect(of('float64', types)).toEqual(['native', 'widened', 'widened', 'widened', 'native'])
})

describe('memory', () => {
  /** A chain of activations of 1 KiB each. */
  const chain = (length: number) => {
    const builder = new GraphBuilder()
    let value: Value = builder.input('x', [256])
    for (let i = 0; i < length; i++) value = builder.emit(ops.relu, [value], {})
    builder.output('y', value)
    return builder.build()
  }

  test('counts what lives at once, not all there is', async () => {
    const memory = async (of: Engine, graph: Graph) => (await of.compile(graph)).memory
    expect(await memory(engine, chain(10))).toEqual({ arenaBytes: 2048, stateBytes: 0 })
    expect((await memory(referenceEngine({ precision: 'float64' }), chain(10))).arenaBytes).toBe(4096)
    expect((await memory(engine, scaling())).stateBytes).toBe(12)
  })

  test('a graph beyond the limit is refused with its sizes', async () => {
    await expect(engine.compile(chain(10), { memoryLimitBytes: 2000 })).rejects.toThrow(
      'a batch of 256 needs 2.00 KiB of memory (2.00 KiB for activations, 0 bytes for state), there are 1.95 KiB: a batch of 237 fits',
    )
    await engine.compile(chain(10), { memoryLimitBytes: 2048 })
  })

  test('a graph beyond what is free is refused as well', async () => {
    const builder = new GraphBuilder()
    const wide = builder.emit(ops.broadcastTo, [builder.input('x', [1, 1])], { shape: [2 ** 30, 2 ** 20] })
    builder.output('y', builder.emit(ops.reduceSum, [wide], { axes: [0, 1], keepDims: false }))
    await expect(engine.compile(builder.build())).rejects.toThrow('not even a batch of one fits')
  })

  test.each([
    [1023, '1023 bytes'],
    [1536, '1.50 KiB'],
    [20 * 1024 ** 2, '20.0 MiB'],
    [300 * 1024 ** 3, '300 GiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})

test('an operator that does not exist is named', async () => {
  const graph = scaling()
  const nodes = graph.nodes.map(node => (node.op === 'add' ? { ...node, op: 'addd' } : node))
  await expect(engine.compile({ ...graph, nodes })).rejects.toThrow(
    "the reference engine has no operator 'addd' (node 'add')",
  )
})

describe('the life of a program', () => programLifetimeTests(() => engine))

describe('the outputs of a run', () => programOutputTests(() => engine))

test('the event loop turns while a long graph runs', async () => {
  const builder = new GraphBuilder()
  let value = builder.input('x', [1_000_000])
  for (let i = 0; i < 30; i++) value = builder.emit(ops.gelu, [value], {})
  builder.output('y', builder.emit(ops.reduceMean, [value], { axes: [0], keepDims: false }))
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await runOnce(engine, builder.build(), { x: new Float32Array(1_000_000) })
  clearInterval(timer)
  expect(turns).toBeGreaterThan(0)
})

test('there is always a default engine', async () => {
  const chosen = await defaultEngine()
  expect(['onednn', 'wasm']).toContain(chosen.name)
  if (chosen.name !== 'onednn') expect(chosen.description).toContain('no native engine: ')
})

test('where the native engine does not load, a warning says so, once', async () => {
  vi.stubEnv('FOVEA_ONEDNN_ADDON', '/nowhere/fovea_onednn.node')
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  vi.resetModules()
  const { defaultEngine } = await import('../../src/engines/default.js')
  const chosen = [await defaultEngine(), await defaultEngine()]
  vi.unstubAllEnvs()
  expect(chosen.map(({ name }) => name)).toEqual(['wasm', 'wasm'])
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/^fovea: running in WebAssembly, slower than the native engine, because .*nowhere/)],
  ])
  warn.mockRestore()
})
