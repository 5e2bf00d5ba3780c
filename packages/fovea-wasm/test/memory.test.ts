/** @file Claims about the memory of a team where less is allowed than a pointer reaches, as on phones. */

import { afterEach, expect, test, vi } from 'vitest'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { runOnce } from '../../fovea/test/engines/run-once.js'
import { wasmEngine } from '../src/index.js'

/** From now on no memory may be larger. @returns the maxima that are asked for */
function allow(mostPages: number): number[] {
  const asked: number[] = []
  const { Memory } = WebAssembly
  class Limited extends Memory {
    constructor(limits: { readonly initial: number; readonly maximum: number; readonly shared: true }) {
      asked.push(limits.maximum)
      if (limits.maximum > mostPages) throw new RangeError('could not allocate memory')
      super(limits)
    }
  }
  vi.stubGlobal('WebAssembly', Object.assign(Object.create(WebAssembly), { Memory: Limited }))
  return asked
}

afterEach(() => vi.unstubAllGlobals())

/** So many numbers, doubled. */
function doubled(length: number) {
  const builder = new GraphBuilder()
  const x = builder.input('x', [length])
  builder.output('y', builder.emit(ops.add, [x, x], {}))
  return builder.build()
}

// Each test has a number of threads of its own: teams are kept, with their memory.
test('where 4 GiB are refused, less is asked for, which the module and its threads take', async () => {
  const asked = allow(1 << 14)
  const engine = wasmEngine({ threads: 3, simd: 'plain' })
  expect(asked).toEqual([1 << 16, 1 << 15, 1 << 14])
  const { y } = await runOnce(engine, doubled(1000), { x: new Float32Array(1000).fill(2) })
  expect(y.every(value => value === 4)).toBe(true)
  await expect(engine.compile(doubled(1 << 28), { memoryLimitBytes: 2 ** 40 })).rejects.toThrow(
    /needs 2\.00 GiB of memory .* there are (1019|1\.0|0\.9|10\d\d).* [GM]iB: a batch of \d+ fits$/,
  )
})

test('where all is refused, an error says why and what to do; the next attempt is free to work', () => {
  allow(0)
  expect(() => wasmEngine({ threads: 4, simd: 'plain' })).toThrow(
    expect.objectContaining({
      name: 'EngineError',
      message:
        "the wasm engine is given no memory, not even of at most 1.00 GiB (could not allocate memory): close other pages or programs, or raise this one's limit of address space (ulimit -v)",
    }),
  )
  vi.unstubAllGlobals()
  expect(wasmEngine({ threads: 4, simd: 'plain' }).name).toBe('wasm')
})
