/** @file Keras's verbs do what a reader of a Keras tutorial expects of them. */
import { beforeAll, describe, expect, test } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { createModel } from '../../src/models/registry.js'
import { compile, type History } from '../../src/train/compile.js'
import { oneHot } from '../../src/train/labels.js'
import { stripeClasses, stripeData, stripes } from './patterns.js'

const engine = referenceEngine()
const model = () => createModel('resnet8', { input: [8, 8, 3], labels: stripeClasses })

/** A data set as two arrays, as Keras's loaders give it. */
function arrays(length: number, key?: number) {
  const { labels, read } = stripes(length, key)
  const images = new Uint8Array(length * 192)
  read(
    Array.from({ length }, (_, i) => i),
    images,
  )
  return { images, labels }
}
const x = arrays(48)
const held = arrays(12, 5)

describe('compile, fit, evaluate, predict', () => {
  const classifier = compile(model(), {
    optimizer: 'adam',
    loss: 'categorical_crossentropy',
    metrics: ['accuracy'],
    engine,
  })
  const epochs: number[] = []
  let history: History
  beforeAll(async () => {
    history = await classifier.fit(x.images, oneHot(x.labels, 3), {
      epochs: 5,
      batchSize: 8,
      validationData: [held.images, oneHot(held.labels, 3)],
      onEpochEnd: epoch => epochs.push(epoch),
    })
  })

  test("the history has Keras's names, a number an epoch", () => {
    expect(Object.keys(history.history)).toEqual(['loss', 'accuracy', 'val_loss', 'val_accuracy'])
    for (const values of Object.values(history.history)) expect(values.length).toBe(5)
    expect(epochs).toEqual([0, 1, 2, 3, 4])
    expect(history.history['loss'][4]).toBeLessThan(history.history['loss'][0])
  })

  test('evaluate gives what the last epoch showed', async () => {
    const { loss, accuracy } = await classifier.evaluate(held.images, oneHot(held.labels, 3))
    expect(loss).toBeCloseTo(history.history['val_loss'][4], 5)
    expect(accuracy).toBe(history.history['val_accuracy'][4])
  })

  test('predict gives a row of probabilities an image', async () => {
    const rows = await classifier.predict(held.images)
    expect(rows.length).toBe(12 * 3)
    expect(rows.subarray(0, 3).reduce((a, b) => a + b)).toBeCloseTo(1, 5)
  })

  test('a second fit goes on with the weights', async () => {
    const before = classifier.model.weights.get('fc.weight')!.slice()
    const { history } = await classifier.fit(x.images, oneHot(x.labels, 3), { epochs: 1, batchSize: 48 })
    expect(Object.keys(history)).toEqual(['loss', 'accuracy'])
    expect(classifier.model.weights.get('fc.weight')).not.toEqual(before)
  })
})

test('integer labels go with the sparse loss, data sets with any; the result is the same', async () => {
  const fit = async (loss: 'categorical_crossentropy' | 'sparse_categorical_crossentropy') => {
    const classifier = compile(model(), { optimizer: { type: 'sgd', learningRate: 0.1 }, loss, engine })
    const labels = loss === 'categorical_crossentropy' ? oneHot(x.labels, 3) : x.labels
    await classifier.fit(x.images, labels, { batchSize: 24 })
    return classifier.model.weights.get('fc.weight')
  }
  expect(await fit('sparse_categorical_crossentropy')).toEqual(await fit('categorical_crossentropy'))
  const dataset = compile(model(), { loss: 'categorical_crossentropy', engine })
  await dataset.fit(stripeData.train, { batchSize: 96, validationData: stripeData.test })
})

test('validationSplit holds out the last images', async () => {
  const classifier = compile(model(), { optimizer: 'rmsprop', loss: 'mean_squared_error', engine })
  const { history } = await classifier.fit(x.images, oneHot(x.labels, 3), { batchSize: 36, validationSplit: 0.25 })
  const last = { images: x.images.subarray(36 * 192), labels: oneHot(x.labels.subarray(36), 3) }
  const { loss } = await classifier.evaluate(last.images, last.labels)
  expect(loss).toBeCloseTo(history['val_loss'][0], 5)
  expect(loss).toBeLessThan(1) // a squared error of probabilities, not a cross-entropy
})

describe('what is wrong is said', () => {
  test('names', () => {
    expect(() => compile(model(), { loss: 'crossentropy' as never })).toThrow(
      "loss: unknown 'crossentropy'; did you mean",
    )
    expect(() => compile(model(), { optimizer: 'adma' as never, loss: 'mean_squared_error' })).toThrow(
      "did you mean 'adam'",
    )
  })

  test.each([
    ['labels of another length', x.labels, 'one-hot labels of 3 classes come in rows of 3, got 47 numbers'],
    ['class indices for one-hot labels', new Float32Array(48 * 3), 'labels.0: it is not one-hot'],
    ['fewer labels than images', oneHot([0, 1], 3), 'labels: expected one for each of 48 images, got 2'],
  ])('%s', async (_, labels, message) => {
    const classifier = compile(model(), { loss: 'categorical_crossentropy', engine })
    const images = labels === x.labels ? x.images.subarray(0, 47 * 192) : x.images
    await expect(classifier.fit(images, labels === x.labels ? labels.subarray(0, 47) : labels)).rejects.toThrow(message)
  })

  const bad = (options: object) => () => compile(model(), options as never)
  test.each([
    [
      'no options',
      bad(undefined as never),
      'options: missing; expected { optimizer, loss, metrics, engine, precision }',
    ],
    ['no loss', bad({ optimizer: 'adam' }), "loss: missing; expected 'categorical_crossentropy', "],
    [
      'a metric that is not measured',
      bad({ loss: 'mean_squared_error', metrics: ['auc'] }),
      "metrics.0: unknown 'auc'; known: accuracy",
    ],
    ['a misspelt option', bad({ loss: 'mean_squared_error', optimiser: 'adam' }), "did you mean 'optimizer'"],
    [
      'a number of an optimizer that is none',
      bad({ loss: 'mean_squared_error', optimizer: { type: 'sgd', momentum: 'x' } }),
      "optimizer.momentum: expected a number of at least 0 and below 1, got 'x'",
    ],
    [
      'a learning rate of 0',
      bad({ loss: 'mean_squared_error', optimizer: { type: 'sgd', learningRate: 0 } }),
      'optimizer.learningRate: expected a number above 0, got 0',
    ],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(message)
  })

  test('options and images in the wrong form', async () => {
    const classifier = compile(model(), { loss: 'sparse_categorical_crossentropy', engine })
    await expect(classifier.fit(x.images, x.labels, { batch_size: 8 } as never)).rejects.toThrow(
      "did you mean 'batchSize'",
    )
    const floats = Float32Array.from(x.images, value => value / 255)
    await expect(classifier.fit(floats as never, x.labels)).rejects.toThrow(
      'images: expected 8-bit pixels (a Uint8Array of levels from 0 to 255), got Float32Array',
    )
  })

  test('nested rows and clamped pixels, as canvases give them, are fine', async () => {
    const classifier = compile(model(), { loss: 'categorical_crossentropy', engine })
    const rows = Array.from(x.labels, label => [0, 1, 2].map(c => (c === label ? 1 : 0)))
    await classifier.fit(new Uint8ClampedArray(x.images), rows, { batchSize: 48 })
  })

  test('a split that is none', async () => {
    const classifier = compile(model(), { loss: 'sparse_categorical_crossentropy', engine })
    await expect(classifier.fit(x.images, x.labels, { validationSplit: 1 })).rejects.toThrow(
      'validationSplit: expected a number above 0 and below 1, got 1',
    )
  })
})

describe('several calls at once', () => {
  const options = { epochs: 2, batchSize: 24 }
  const start = () =>
    compile(model(), { optimizer: { type: 'sgd', learningRate: 0.1 }, loss: 'sparse_categorical_crossentropy', engine })

  test('a second fit of one classifier is refused, and the first one counts', async () => {
    const [alone, both] = [start(), start()]
    await alone.fit(x.images, x.labels, options)
    const first = both.fit(x.images, x.labels, options)
    await expect(both.fit(held.images, held.labels)).rejects.toThrow(
      'a fit of this classifier is under way: await it first',
    )
    await first
    expect(both.model.weights).toEqual(alone.model.weights)
  })

  test('after a fit that failed there can be another', async () => {
    const classifier = start()
    const wrong = x.labels.with(0, 7)
    await expect(classifier.fit(x.images, wrong, options)).rejects.toThrow('got 7')
    const failing = () => {
      throw new Error('on purpose')
    }
    await expect(classifier.fit(x.images, x.labels, { ...options, onEpochEnd: failing })).rejects.toThrow('on purpose')
    await classifier.fit(x.images, x.labels, { epochs: 1, batchSize: 48 })
  })

  test('evaluate and predict during a fit take the weights that it began with', async () => {
    const classifier = start()
    const before = await classifier.predict(held.images)
    const measured = await classifier.evaluate(held.images, held.labels)
    const during: Promise<unknown>[] = []
    await classifier.fit(x.images, x.labels, {
      ...options,
      onEpochEnd: () => during.push(classifier.predict(held.images), classifier.evaluate(held.images, held.labels)),
    })
    expect(await Promise.all(during)).toEqual([before, measured, before, measured])
    expect(await classifier.predict(held.images)).not.toEqual(before)
  })

  test('two classifiers of one engine are fitted as if each were alone', async () => {
    const [alone, one, other] = [start(), start(), start()]
    await alone.fit(x.images, x.labels, options)
    await Promise.all([one.fit(x.images, x.labels, options), other.fit(x.images, x.labels, options)])
    for (const { model } of [one, other]) expect(model.weights).toEqual(alone.model.weights)
  })
})
