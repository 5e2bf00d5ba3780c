/** @file Claims about `--target`: what it takes, and that anything else is refused with what it takes. */
import { expect, test } from 'vitest'
import { lossAllowed, missedSizes, targetList, targetsOf, targetText } from '../../src/compress/targets.js'

test('targets are read as they are written', () => {
  const entries = targetList('latency=0.5x, bytes=.1x,accuracy>=-0.5')
  const targets = targetsOf(entries)
  expect(targets).toEqual([
    { kind: 'latency', most: 0.5 },
    { kind: 'bytes', most: 0.1 },
    { kind: 'accuracy', least: -0.5 },
  ])
  expect(targets.map(targetText)).toEqual(['latency=0.5x', 'bytes=0.1x', 'accuracy>=-0.5'])
  expect(lossAllowed(targets)).toBe(0.5)
  expect(lossAllowed(targets.slice(0, 2))).toBeUndefined()
  expect(missedSizes(targets, { latency: 0.5, bytes: 0.11 })).toEqual([targets[1]])
  expect(missedSizes(targets, { latency: Number.NaN, bytes: 0.1 }), 'what is no number is missed').toEqual([targets[0]])
  expect(() => missedSizes(targets, { bytes: 0.1 })).toThrow('latency was not measured')
})

const FORMS = "--target takes latency=0.5x, bytes=0.1x or 'accuracy>=-0.5'"

test.each([
  ['', FORMS],
  ['latency', FORMS],
  ['accuracy', 'in quotes: to a shell, > means a file'],
  ['latency=0.5', "not 'latency=0.5'"],
  ['latency=0.5x,', "not ''"],
  ['latency<=0.5x', FORMS],
  ['latency=1e-1x', FORMS],
  ['size=0.5x', FORMS],
  ['bytes=-0.5x', FORMS],
  ['accuracy>-0.5', FORMS],
  ['accuracy>=-0.5x', FORMS],
  ['latency=1x', "--target latency takes a part of the original's above 0 and below 1, such as 0.5x, not 1x"],
  ['bytes=0x', "--target bytes takes a part of the original's above 0 and below 1, such as 0.5x, not 0x"],
  ['accuracy>=0.5', "--target accuracy takes points from -100 to 0, such as 'accuracy>=-0.5', not 0.5"],
  ['accuracy>=-101', 'from -100 to 0'],
  ['bytes=0.5x,latency=0.5x,bytes=0.4x', '--target has bytes twice'],
])("'%s' is refused", (text, message) => {
  expect(() => targetList(text)).toThrow(message)
})
