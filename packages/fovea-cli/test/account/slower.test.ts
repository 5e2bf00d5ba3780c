/** @file Claims about telling that a smaller model is slower: it is told with what to try, and noise is not taken for it. */
import { expect, test } from 'vitest'
import { slowerIn, slowerNotes } from '../../src/account/slower.js'
import type { TechniqueName } from '../../src/compare/techniques.js'

const timed = (latencyMs: number, imagesPerSecond: number, ...names: TechniqueName[]) => ({
  ...{ latencyMs, throughput: { batch: 32, imagesPerSecond }, arithmetic: 'native' as const },
  techniques: names.map(name => ({ name })),
})
const original = timed(10, 1000)

test('what takes more than a tenth longer is slower, by one image or by many', () => {
  expect(slowerIn(original, timed(11, 909.1))).toEqual([])
  expect(slowerIn(original, timed(11.1, 1500))).toEqual(['latency'])
  expect(slowerIn(original, timed(2, 870))).toEqual(['throughput'])
  expect(slowerNotes(original, timed(2, 5000, 'int8'))).toEqual([])
})

test('it is told how much longer, and what to try, by what was done to the model', () => {
  const notes = (...names: TechniqueName[]) => slowerNotes(original, timed(12.9, 800, ...names)).join()
  expect(notes('int8')).toMatch(
    /^slower than the original on this machine: one image takes 1\.29× as long, many images take 1\.25× as long\. .*--keep-float32/,
  )
  const widened = { ...timed(12, 800, 'channels', 'int8'), arithmetic: 'widened' as const }
  expect(slowerNotes(original, widened).join()).toContain('compute in float32 here. Try quantize --method weights')
  expect(notes('channels')).toContain('--multiple-of 16')
  expect(notes('weights')).toContain('prune --method channels')
})
