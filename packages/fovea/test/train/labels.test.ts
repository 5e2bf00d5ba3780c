/** @file Claims about labels as a loss takes them: one-hot rows, shares of mixed images, weights by class. */
import { expect, test } from 'vitest'
import { classWeightsOf, classWeightsSetting, dominantLabels, labelFeed, oneHot } from '../../src/train/labels.js'

test('one-hot rows have a 1 at the class', () => {
  expect([...oneHot([2, 0], 3)]).toEqual([0, 0, 1, 1, 0, 0])
  expect(() => oneHot([3], 3)).toThrow('labels.0: expected the index of one of 3 classes (0 to 2), got 3')
})

test('balanced weights give every class that occurs the same weight in all, and images a mean of 1', () => {
  const labels = Int32Array.of(0, 0, 0, 1, 1, 3)
  const weights = classWeightsOf('balanced', labels, 4)
  expect([...weights]).toEqual([2 / 3, 1, 0, 2].map(weight => expect.closeTo(weight, 6)))
  expect(labels.reduce((sum, label) => sum + weights[label], 0) / 6).toBeCloseTo(1, 6)
})

test('weights of the wrong number or sign are refused', () => {
  expect(() => classWeightsOf([1, 2], Int32Array.of(0), 3)).toThrow(
    "classWeights: expected a number for each of 3 classes, or 'balanced', got 2",
  )
  expect(() => classWeightsSetting.parse([1, -2], 'classWeights')).toThrow(
    'classWeights.1: expected a number of at least 0',
  )
})

test('a row is multiplied by the weight of its class', () => {
  const batch = { images: new Float32Array(), labels: Int32Array.of(1, 0), count: 2 }
  expect([...labelFeed(batch, 2, 'one-hot', Float32Array.of(3, 0.5))]).toEqual([0, 0.5, 3, 0])
  expect(labelFeed(batch, 2, 'index')).toBe(batch.labels)
})

const mix = (weight: number) => ({ labels: Int32Array.of(1, 2, 0), weight })
const labels = Int32Array.of(0, 2, 1)

test("a mixed image's row has the shares of both classes, which may be the same", () => {
  const batch = { images: new Float32Array(), labels, mix: mix(0.25), count: 3 }
  expect(Array.from(labelFeed(batch, 3, 'one-hot'))).toEqual([0.75, 0.25, 0, 0, 0, 1, 0.25, 0.75, 0])
})

test('the class that a mixed image shows most of is the one that counts', () => {
  expect(dominantLabels({ labels })).toBe(labels)
  expect(dominantLabels({ labels, mix: mix(0.5) })).toBe(labels)
  expect(Array.from(dominantLabels({ labels, mix: mix(0.75) }))).toEqual([1, 2, 0])
})
