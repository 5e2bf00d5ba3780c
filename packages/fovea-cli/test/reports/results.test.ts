/** @file Claims about results.json: all of the evaluation, with names, a row a line. */
import type { Evaluation } from 'fovea'
import { expect, test } from 'vitest'
import { formatResults } from '../../src/reports/results.js'

const evaluation: Evaluation = {
  ...{ loss: 0.5, accuracy: 0.75, top5: 1, images: 4, seconds: 0.1, calibrationError: 0.2 },
  confusion: [
    [2, 1],
    [0, 1],
  ],
  classes: [
    { label: 'cat', images: 3, precision: 1, recall: 2 / 3, f1: 0.8 },
    { label: 'dog', images: 1, precision: 0.5, recall: 1, f1: 2 / 3 },
  ],
  predictions: [0, 0, 1, 1],
  reliability: [{ low: 14 / 15, high: 1, images: 4, confidence: 0.95, accuracy: 0.75 }],
  mistakes: [{ image: 7, label: 0, predicted: 1, probability: 0.9, loss: 2.3 }],
}

test('it holds the evaluation but for single predictions, mistakes with the names of their classes', () => {
  const { predictions: _, ...rest } = evaluation
  expect(JSON.parse(formatResults(evaluation, ['cat', 'dog']))).toEqual({
    ...rest,
    mistakes: [{ image: 7, label: 'cat', predicted: 'dog', probability: 0.9, loss: 2.3 }],
  })
})

test('each row of the confusion matrix is a line; a list without rows is JSON too', () => {
  const text = formatResults({ ...evaluation, mistakes: [] }, ['cat', 'dog'])
  expect(text).toContain('\n    [2,1],\n    [0,1]\n')
  expect(JSON.parse(text).mistakes).toEqual([])
})
