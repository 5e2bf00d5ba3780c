/** @file What holds for the programs of every engine: a promise of one, one run at a time, an end at any time, arrays from anywhere. */
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { Engine } from '../../src/engines/engine.js'
import type { HostArray } from '../../src/graph/arrays.js'
import type { Graph } from '../../src/graph/graph.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'

const values = [1, 2, 3, 4]

/** y = w·x, and w becomes w·x. */
function product() {
  const builder = new GraphBuilder()
  const x = builder.input('x', [4])
  const w = builder.parameter('w', [4], { type: 'ones' })
  const y = builder.emit(ops.multiply, [w, x], {})
  builder.output('y', y)
  builder.update(w, y)
  return builder.build()
}

export function programLifetimeTests(engine: () => Engine): void {
  const graph = product()
  const program = async () => {
    const compiled = await engine().compile(graph)
    await compiled.write('w', Float32Array.from(values))
    return compiled
  }
  const feeds = () => ({ x: Float32Array.from(values) })
  const busy = 'a run of this program is under way: await it first'
  const disposed = 'this program is disposed'

  test.each<[string, () => Promise<unknown>, string, string]>([
    [
      'a graph that needs too much',
      () => engine().compile(graph, { memoryLimitBytes: 1 }),
      'EngineError',
      'there are 1 byte',
    ],
    [
      'a misspelt option',
      () => engine().compile(graph, { memoryLimit: 1 } as object),
      'SettingError',
      "did you mean 'memoryLimitBytes'?",
    ],
    ['what is no graph', () => engine().compile({} as Graph), 'SettingError', 'a graph'],
  ])('compiling %s throws nothing: it rejects', async (_, compile, name, message) => {
    const error = (await compile().catch((thrown: unknown) => thrown)) as Error
    expect([error.name, error.message]).toEqual([name, expect.stringContaining(message)])
  })

  test('a second run, a read and a write are refused during a run, which is none the worse for it', async () => {
    const one = await program()
    const first = one.run(feeds())
    const others = [one.run(feeds()), one.read('w'), one.write('w', new Float32Array(4))]
    for (const { status, reason } of (await Promise.allSettled(others)) as PromiseRejectedResult[]) {
      expect([status, String(reason)]).toEqual(['rejected', `EngineError: ${busy}`])
    }
    expect([...(await first)['y']]).toEqual([1, 4, 9, 16])
    expect([...(await one.run(feeds()))['y']]).toEqual([1, 8, 27, 64])
    one.dispose()
  })

  test('a run that fails leaves the program ready', async () => {
    const one = await program()
    await expect(one.run({ x: new Float32Array(3) })).rejects.toThrow('3')
    expect([...(await one.run(feeds()))['y']]).toEqual([1, 4, 9, 16])
    one.dispose()
  })

  test('programs of one engine run at the same time, each as if alone', async () => {
    const [a, b] = [await program(), await program()]
    const [one, other] = await Promise.all([a.run(feeds()), b.run({ x: Float32Array.of(0, 0, 1, 1) })])
    expect([...one['y']]).toEqual([1, 4, 9, 16])
    expect([...other['y']]).toEqual([0, 0, 3, 4])
    for (const each of [a, b]) each.dispose()
  })

  test('disposed of during a run, it fails the run; after that it does nothing more', async () => {
    const one = await program()
    const run = one.run(feeds())
    one.dispose()
    one.dispose()
    await expect(run).rejects.toThrow(disposed)
    await expect(one.run(feeds())).rejects.toThrow(disposed)
    await expect(one.read('w')).rejects.toThrow(disposed)
    await expect(one.write('w', new Float32Array(4))).rejects.toThrow(disposed)
  })

  test('what is fed is read at once: it may change, or move to another thread, during the run', async () => {
    const one = await program()
    const fed = Float32Array.from(values)
    const first = one.run({ x: fed })
    fed.fill(Number.NaN)
    expect([...(await first)['y']]).toEqual([1, 4, 9, 16])
    const moved = Float32Array.from(values)
    const second = one.run({ x: moved })
    structuredClone(moved, { transfer: [moved.buffer] })
    expect([...(await second)['y']]).toEqual([1, 8, 27, 64])
    one.dispose()
  })

  const shared = (buffer: SharedArrayBuffer) => {
    const array = new Float32Array(buffer)
    array.set(values)
    return array
  }
  const resizable = () => {
    // Node 20 knows them, TypeScript's library of that time does not.
    const buffer: ArrayBuffer = Reflect.construct(ArrayBuffer, [16, { maxByteLength: 64 }])
    const array = new Float32Array(buffer)
    array.set(values)
    return { array, resize: (bytes: number) => Reflect.apply(Reflect.get(buffer, 'resize'), buffer, [bytes]) }
  }
  test.each<[string, () => HostArray]>([
    ['another realm', () => runInNewContext('Float32Array.of(1, 2, 3, 4)')],
    ['doubles of another realm', () => runInNewContext('Float64Array.of(1, 2, 3, 4)')],
    ['shared memory', () => shared(new SharedArrayBuffer(16))],
    ['a part of a larger buffer', () => Float32Array.of(9, 1, 2, 3, 4, 9).subarray(1, 5)],
    ['a resizable buffer', () => resizable().array],
  ])('arrays from %s are as good as others', async (_, array) => {
    const one = await program()
    await one.write('w', array())
    expect([...(await one.run({ x: array() }))['y']]).toEqual([1, 4, 9, 16])
    one.dispose()
  })

  const emptied = () => {
    const { array, resize } = resizable()
    resize(8)
    return array
  }
  const detached = () => {
    const array = Float32Array.from(values)
    structuredClone(array, { transfer: [array.buffer] })
    return array
  }
  test.each<[string, () => unknown, string]>([
    ['detached', detached, 'got 0'],
    ['made shorter', emptied, 'got 2'],
    ['null', () => null, 'Null'],
    ['a string', () => '1234', 'String'],
    ['a plain array', () => values, 'Array'],
    ['integers', () => Int32Array.from(values), 'Int32Array'],
    ['a view of bytes', () => new DataView(new ArrayBuffer(16)), 'DataView'],
  ])('what is no array of the right length and type is refused: %s', async (_, array, message) => {
    const one = await program()
    await expect(one.run({ x: array() as HostArray })).rejects.toThrow(message)
    await expect(one.write('w', array() as HostArray)).rejects.toThrow(message)
    one.dispose()
  })
}
