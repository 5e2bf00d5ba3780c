/** @file Claims about `fovea bench`: what it measures, what it shows of a compiled step, what it refuses. */
import { onednnStatus } from 'fovea-onednn'
import { expect, test } from 'vitest'
import { fovea } from './run-fovea.js'

test('bench reports medians of a training step', async () => {
  const args = '--mode train --batch 4 --input 16x16x3 --steps 3 --json'.split(' ')
  const { code, json } = await fovea(['bench', 'resnet8', ...args])
  expect(code).toBe(0)
  const [bench] = json
  expect(bench).toMatchObject({ model: 'resnet8', mode: 'train', batch: 4, precision: 'float32' })
  expect(bench.msPerStep.min).toBeLessThanOrEqual(bench.msPerStep.median)
  expect(bench.msPerStep.median).toBeLessThanOrEqual(bench.msPerStep.p95)
  for (const key of ['threads', 'imagesPerSecond', 'gflops', 'peakMemoryBytes']) expect(bench[key]).toBeGreaterThan(0)
})

test('bench says what asks for the same engine again, in the words of run.json', async () => {
  const { json } = await fovea([
    'bench',
    'resnet8',
    ...'--batch 1 --steps 1 --threads 1 --simd plain --json'.split(' '),
  ])
  expect(json).toMatchObject([{ engine: 'wasm', threads: 1, simd: 'plain' }])
})

test.skipIf(!onednnStatus().available)('bench --plan shows what a step is compiled to', async () => {
  const step = [
    'bench',
    'resnet8',
    ...'--mode infer --batch 4 --input 16x16x3 --threads 2 --engine onednn --plan'.split(' '),
  ]
  const [words, data] = await Promise.all([fovea(step), fovea([...step, '--json'])])
  expect([words.code, data.code]).toEqual([0, 0])
  const [{ plan, ...rest }] = data.json
  expect(rest).toEqual({ model: 'resnet8', mode: 'infer', batch: 4, precision: 'float32', engine: 'onednn' })
  const steps = plan.loops.flatMap(({ steps }: { steps: object[] }) => steps)
  expect(steps).toContainEqual({
    ...{ node: 'conv1.folded', op: 'foldedWeights', implementation: 'foldBatchNorm', once: true },
    ...{ reads: expect.any(Array), writes: [expect.any(Number), expect.any(Number)] },
    fields: { channels: 16, perChannel: 27, epsilon: 1e-5 },
  })
  const lines = words.stdout.split('\n')
  expect(lines[0]).toMatch(/^2 threads, \d+ bytes of arena, \d+ bytes of state$/)
  expect(lines.filter(line => / -> #/.test(line))).toHaveLength(steps.length)
  expect(lines.filter(line => /^ {2}#\d+ (arena|state) at/.test(line))).toHaveLength(plan.buffers.length)
  expect(lines).toContain(`output logits = #${plan.outputs.logits}`)
})

test.each([
  [['--plan', '--profile'], 2, '--plan measures nothing: leave out --profile and --trace'],
  [['--plan', '--engine', 'reference'], 1, '--plan needs the onednn or the wasm engine'],
])('bench %j is refused', async (words, code, message) => {
  const refused = await fovea(['bench', 'resnet8', ...words])
  expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code, stdout: '' })
  expect(refused.stderr).toContain(message)
})

test('a batch that does not fit the memory is refused with the sizes and a batch that fits', async () => {
  const args = '--mode train --batch 100000 --input 224x224x3 --steps 1'.split(' ')
  const { code, stderr } = await fovea(['bench', 'resnet50', ...args])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^fovea: [^\n]+\n$/)
  expect(stderr).toMatch(/GiB|TiB/)
  expect(stderr).toMatch(/batch/)
})
