/** @file Claims about plain JavaScript: what can be given wrongly to Keras's verbs is refused, and the message says what to write. */
import { describe, expect, test } from 'vitest'
import { compile, oneHot, referenceEngine } from '../../src/index.js'
import { stripeData } from '../train/patterns.js'
import { stripeModel } from '../train/small-model.js'
import { loose, refused } from './refused.js'

const engine = referenceEngine()

describe('compile and fit', () => {
  const compiled = (options: object) => () => loose(compile)(stripeModel, options)
  const loss = 'sparse_categorical_crossentropy' as const
  test.each<[string, () => unknown, string]>([
    ['no model', () => loose(compile)(undefined, { loss }), 'model: missing; expected a model'],
    [
      'a misspelt option within an option',
      compiled({ loss, optimizer: { type: 'sgd', momentm: 0.9 } }),
      "optimizer.momentm: unknown option; did you mean 'momentum'?",
    ],
    ['a misspelt optimizer', compiled({ loss, optimizer: 'adma' }), "optimizer: unknown 'adma'; did you mean 'adam'"],
    [
      'one metric instead of a list',
      compiled({ loss, metrics: 'accuracy' }),
      "metrics: expected a list of names of metrics, ['accuracy'], got 'accuracy'",
    ],
    [
      "another library's precision",
      compiled({ loss, precision: 'float16' }),
      "precision: unknown 'float16'; did you mean",
    ],
  ])('compile: %s', (_, call, message) => refused(call, message))

  const x = new Uint8Array(6 * 192)
  const y = [0, 1, 2, 0, 1, 2]
  const sparse = compile(stripeModel, { loss, engine })
  const rows = compile(stripeModel, { loss: 'categorical_crossentropy', engine })
  const fit =
    (...values: unknown[]) =>
    () =>
      (sparse.fit as (...values: unknown[]) => unknown).call(sparse, ...values)
  const fitRows =
    (...values: unknown[]) =>
    () =>
      (rows.fit as (...values: unknown[]) => unknown).call(rows, ...values)
  test.each<[string, () => unknown, string]>([
    ['nothing', fit(), 'images: expected 8-bit pixels (a Uint8Array), or a data set, got undefined'],
    [
      'data that are not there yet',
      fit(Promise.resolve(stripeData.train)),
      'images: expected 8-bit pixels (a Uint8Array), or a data set, got a promise (write await before it)',
    ],
    ['both parts of the data', fit(stripeData), 'got { train, test }'],
    ['pixels from 0 to 1', fit(new Float32Array(192), [0]), 'images: expected 8-bit pixels'],
    ['no labels', fit(x), 'labels: expected a class index or the name of a class for each image, got undefined'],
    [
      'options for labels',
      fit(x, { epochs: 3 }),
      'labels: expected a class index or the name of a class for each image, got { epochs }',
    ],
    ['fewer labels than images', fit(x, [0, 1]), 'labels: expected one for each of 6 images, got 2'],
    ['a word that is no class', fit(x, ['flat', 'dwon']), "labels.1: unknown class 'dwon'; did you mean 'down'?"],
    [
      'a class too many',
      fit(x, [0, 1, 2, 3, 0, 1]),
      'labels.3: expected the name or the index of one of 3 classes (0 to 2), got 3',
    ],
    [
      'a label that is no number',
      fit(x, [0, 1, Number.NaN, 0, 1, 2]),
      'labels.2: expected the name or the index of one of 3 classes (0 to 2), got NaN',
    ],
    [
      'rows for indices',
      fit(
        x,
        y.map(label => [0, 1, 2].map(c => (c === label ? 1 : 0))),
      ),
      "labels: expected class indices, got rows; for one-hot rows use the loss 'categorical_crossentropy' or 'mean_squared_error'",
    ],
    [
      'indices for rows',
      fitRows(x, y),
      "labels.0: it is not one-hot: expected 3 numbers, a 1 at its class and 0 elsewhere, got [0, 1, 2]; for class indices use the loss 'sparse_categorical_crossentropy'",
    ],
    [
      'shares instead of one class',
      fitRows(
        x,
        Float32Array.from(oneHot(y, 3), value => value || 0.1),
      ),
      'labels.0: it is not one-hot',
    ],
    [
      'two classes at once',
      fitRows(
        x,
        [...oneHot(y, 3)].map((value, i) => (i === 4 ? 1 : value === 1 && i > 3 && i < 6 ? 1 : value)).with(3, 1),
      ),
      'labels.1: it is not one-hot: expected 3 numbers, a 1 at its class and 0 elsewhere, got [1, 1, 0]',
    ],
    [
      'rows of different lengths',
      fitRows(x, [
        [1, 0, 0],
        [0, 1],
        [0, 0, 1, 0],
        [1, 0, 0],
        [1, 0, 0],
        [1, 0, 0],
      ]),
      'labels.1: it is not one-hot: expected 3 numbers, a 1 at its class and 0 elsewhere, got [0, 1]',
    ],
    ["Keras's spelling", fit(x, y, { batch_size: 2 }), "batch_size: unknown option; did you mean 'batchSize'?"],
    ['labels after a data set', fit(stripeData.train, y), 'options: expected { epochs, batchSize'],
    ['half an epoch', fit(x, y, { epochs: 0.5 }), 'epochs: expected a whole number of at least 1, got 0.5'],
    [
      'a split and data',
      fit(x, y, { validationSplit: 0.5, validationData: stripeData.test }),
      'validationSplit: give validationData or validationSplit, not both',
    ],
    [
      'a split that leaves nothing',
      fit(x, y, { validationSplit: 0.9 }),
      'validationSplit: of 6 images it leaves none to train on',
    ],
    [
      'validation data without labels',
      fit(x, y, { validationData: x }),
      'validationData: expected a data set, or [images, labels], got Uint8Array of 1152',
    ],
    [
      'validation data not there yet',
      fit(x, y, { validationData: Promise.resolve(stripeData.test) }),
      'validationData: expected a data set, or [images, labels], got a promise (write await before it)',
    ],
    [
      'validation labels that are none',
      fit(x, y, { validationData: [x, ['flat', 'x', 'flat', 'flat', 'flat', 'flat']] }),
      "validationData.labels.1: unknown class 'x'",
    ],
    ['a callback that is none', fit(x, y, { onEpochEnd: 'log' }), "onEpochEnd: expected a function, got 'log'"],
    ['evaluate without labels', () => loose(sparse.evaluate.bind(sparse))(x), 'labels: expected a class index'],
    [
      'predict without pixels',
      () => loose(sparse.predict.bind(sparse))(stripeData.test),
      'images: expected 8-bit pixels',
    ],
  ])('fit: %s', (_, call, message) => refused(call, message))

  test('words are labels for any loss', async () => {
    const words = ['flat', 'down', 'across', 'flat', 'down', 'across']
    expect(await sparse.evaluate(x, words)).toEqual(await sparse.evaluate(x, [2, 1, 0, 2, 1, 0]))
    expect(await rows.evaluate(x, words)).toEqual(await rows.evaluate(x, oneHot([2, 1, 0, 2, 1, 0], 3)))
  })

  test('what a callback throws is what a fit ends with; the weights stay', async () => {
    const classifier = compile(stripeModel, { loss: 'mean_squared_error', engine })
    const before = classifier.model
    const onEpochEnd = async () => Promise.reject(new Error('no more'))
    await expect(classifier.fit(stripeData.test, { onEpochEnd })).rejects.toThrow('no more')
    expect(classifier.model).toBe(before)
  })
})
