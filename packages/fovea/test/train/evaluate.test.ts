/** @file Claims about measuring: losses and accuracies as defined, whatever the batch size. */
import { expect, test } from 'vitest'
import { arrayDataset } from '../../src/data/array-dataset.js'
import type { Dataset } from '../../src/data/dataset.js'
import { subset } from '../../src/data/subset.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { createModel } from '../../src/models/registry.js'
import { evaluate } from '../../src/train/evaluate.js'
import { oneHot } from '../../src/train/labels.js'
import { stripeClasses, stripes } from './patterns.js'

const engine = referenceEngine()
const model = createModel('resnet8', { input: [8, 8, 3], labels: stripeClasses })
const data = stripes(10)

test('one-hot rows, and a label that is no class', () => {
  expect([...oneHot([1, 0], 3)]).toEqual([0, 1, 0, 1, 0, 0])
  expect(() => oneHot([3], 3)).toThrow('labels.0: expected the index of one of 3 classes (0 to 2), got 3')
})

test('an evaluation does not depend on the batch size, also where the last batch is not full', async () => {
  const results = await Promise.all([1, 4, 10].map(batchSize => evaluate(model, data, { engine, batchSize })))
  for (const { loss, accuracy, top5, images, confusion } of results) {
    expect({ accuracy, top5, images, confusion }).toEqual({
      accuracy: results[0].accuracy,
      top5: 1,
      images: 10,
      confusion: results[0].confusion,
    })
    expect(loss).toBeCloseTo(results[0].loss, 6)
  }
})

/** The same images, their classes under other names and numbers. */
function renamed(dataset: Dataset, classes: readonly string[], numberOf: (label: number) => number): Dataset {
  const images = new Uint8Array(dataset.length * 192)
  dataset.read([...dataset.labels.keys()], images)
  const labels = dataset.labels.map(numberOf)
  return arrayDataset({ name: 'renamed', images, labels, imageShape: [8, 8, 3], classes })
}

test('classes are told apart by their names: the data may have them in another order, or some of them only', async () => {
  const { confusion, mistakes, loss } = await evaluate(model, data, { engine })
  const turned = renamed(data, [...stripeClasses].reverse(), label => 2 - label)
  expect(await evaluate(model, turned, { engine, batchSize: 3 })).toMatchObject({ confusion, mistakes })
  expect((await evaluate(model, turned, { engine })).loss).toBeCloseTo(loss, 6)
  const flat = [...data.labels.keys()].filter(i => data.labels[i] === 2)
  const some = await evaluate(
    model,
    renamed(subset(data, flat), ['flat'], () => 0),
    { engine },
  )
  expect(some.images).toBe(flat.length)
  expect(some.confusion).toEqual([[0, 0, 0], [0, 0, 0], confusion[2]])
  expect(some.classes[0]).toMatchObject({ label: 'across', images: 0, recall: null })
})

test('a class that the model does not know is refused by name, with the nearest', async () => {
  const of = (...classes: string[]) =>
    evaluate(
      model,
      renamed(data, classes, label => label),
      { engine },
    )
  await expect(of('across', 'Down', 'plain')).rejects.toThrow(
    "renamed has classes 'Down' (did you mean 'down'?), 'plain', which resnet8 does not know; it knows across, down, flat",
  )
  await expect(of('across', 'down', 'flat', 'checked')).rejects.toThrow(
    "renamed has class 'checked', which resnet8 does not know; it knows across, down, flat",
  )
})

test('names in another Unicode normal form are the same; a model without names takes as many classes as it has', async () => {
  const accented = { ...model, labels: ['across', 'down', 'pla\u0301in'] }
  const images = renamed(data, ['across', 'down', 'pl\u00e1in'], label => label)
  expect((await evaluate(accented, images, { engine })).images).toBe(10)
  const nameless = { ...model, labels: ['0', '1', '2'] }
  expect((await evaluate(nameless, images, { engine })).images).toBe(10)
  const more = renamed(data, ['a', 'b', 'c', 'd'], label => label)
  await expect(evaluate(nameless, more, { engine })).rejects.toThrow(
    "renamed has classes 'a', 'b', 'c', 'd', which resnet8 does not know; it knows 0, 1, 2",
  )
})
