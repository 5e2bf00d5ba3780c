/** @file Claims about the life of a program in WebAssembly, and its outputs: as every engine's, and its memory is used again. */
import { describe, expect, test } from 'vitest'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { programLifetimeTests } from '../../fovea/test/engines/program-lifetime.js'
import { copiesWhatIsWanted, programOutputTests } from '../../fovea/test/engines/program-outputs.js'
import { wasmEngine } from '../src/index.js'
import { teamOf } from '../src/team.js'

const onTwoThreads = () => wasmEngine({ threads: 2, simd: 'plain' })

describe('the life of a program', () => programLifetimeTests(onTwoThreads))

describe('the outputs of a run', () => {
  programOutputTests(onTwoThreads)
  copiesWhatIsWanted(onTwoThreads)
})

/** So many numbers, doubled. */
function doubled(length: number) {
  const builder = new GraphBuilder()
  const x = builder.input('x', [length])
  builder.output('y', builder.emit(ops.add, [x, x], {}))
  return builder.build()
}

test('programs that are disposed of leave their memory to others, also where a run is under way', async () => {
  const engine = wasmEngine({ threads: 1, simd: 'plain' })
  const { memory } = teamOf(1, 'plain', () => {
    throw new Error('there is a team')
  })
  const graph = doubled(1 << 20)
  const x = new Float32Array(1 << 20).fill(1)
  let most = 0
  for (let i = 0; i < 20; i++) {
    const program = await engine.compile(graph)
    const run = program.run({ x })
    if (i % 2 === 0) expect((await run)['y'].every(value => value === 2)).toBe(true)
    program.dispose()
    await run.catch(() => {})
    if (i === 2) most = memory.buffer.byteLength
  }
  expect(memory.buffer.byteLength).toBe(most)
})

test('a program that does not fit into 4 GiB is refused with its sizes', async () => {
  const engine = wasmEngine({ threads: 1, simd: 'plain' })
  await expect(engine.compile(doubled(1 << 30), { memoryLimitBytes: 2 ** 40 })).rejects.toThrow(
    /^a batch of 1073741824 needs 8\.00 GiB of memory .* there are [34]\.\d+ GiB: a batch of \d+ fits$/,
  )
})
