/** @file Claims about what a step is fed as labels. */
import { expect, test } from 'vitest'
import { dominantLabels, labelRows, oneHot } from '../../src/train/labels.js'

const mix = (weight: number) => ({ labels: Int32Array.of(1, 2, 0), weight })
const labels = Int32Array.of(0, 2, 1)

test('labels become rows with a 1 at the class', () => {
  expect(Array.from(oneHot(labels, 3))).toEqual([1, 0, 0, 0, 0, 1, 0, 1, 0])
  expect(labelRows({ labels }, 3)).toEqual(oneHot(labels, 3))
  expect(() => oneHot([0, 3], 3)).toThrow('label 3 at 1 is not one of 3 classes')
})

test("a mixed image's row has the shares of both classes, which may be the same", () => {
  expect(Array.from(labelRows({ labels, mix: mix(0.25) }, 3))).toEqual([0.75, 0.25, 0, 0, 0, 1, 0.25, 0.75, 0])
})

test('the class that a mixed image shows most of is the one that counts', () => {
  expect(dominantLabels({ labels })).toBe(labels)
  expect(dominantLabels({ labels, mix: mix(0.5) })).toBe(labels)
  expect(Array.from(dominantLabels({ labels, mix: mix(0.75) }))).toEqual([1, 2, 0])
})
