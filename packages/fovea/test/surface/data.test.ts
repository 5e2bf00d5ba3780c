/** @file Claims about plain JavaScript: what can be given wrongly as images and labels is refused, and the message says what to write. */
import { describe, expect, test } from 'vitest'
import {
  arrayDataset,
  batchesOf,
  compile,
  evaluate,
  predict,
  predictProbabilities,
  referenceEngine,
  resnet8,
} from '../../src/index.js'
import { stripeClasses, stripeData, stripes } from '../train/patterns.js'
import { stripeModel } from '../train/small-model.js'
import { loose, refused } from './refused.js'

const engine = referenceEngine()
const image = new Uint8Array(192)

const few = { images: new Uint8Array(3 * 192), labels: [0, 1, 2], imageShape: [8, 8, 3], classes: stripeClasses }
const dataset = (more: object) => () => loose(arrayDataset)({ ...few, ...more })

describe('data sets', () => {
  test.each<[string, () => unknown, string]>([
    ['a misspelt option', dataset({ class: [] }), "class: unknown option; did you mean 'classes'?"],
    ['no classes', dataset({ classes: undefined }), 'classes: missing; expected a list of class names'],
    [
      'pixels from 0 to 1',
      dataset({ images: new Float32Array(3 * 192).fill(0.5) }),
      'images: expected 8-bit pixels (a Uint8Array of levels from 0 to 255), got Float32Array of 576; for values from 0 to 1 write Uint8Array.from(images, value => Math.round(255 * value))',
    ],
    [
      'pixels from 0 to 255 that are no bytes',
      dataset({ images: new Float64Array(3 * 192).fill(200.4) }),
      'for values from 0 to 255 write Uint8Array.from(images, Math.round)',
    ],
    [
      'pixels that are normalized',
      dataset({ images: new Float32Array(3 * 192).fill(-1.5) }),
      'its values go from -1.5 to -1.5: give the images as they are, the model normalizes them',
    ],
    [
      'pixels that are no numbers',
      dataset({ images: new Float32Array(3 * 192).fill(Number.NaN) }),
      'got Float32Array of 576',
    ],
    [
      'a plain list of pixels',
      dataset({ images: Array(3 * 192).fill(7) }),
      'got a list of 576; for values from 0 to 255 write Uint8Array.from(images, Math.round)',
    ],
    ['rows of pixels', dataset({ images: [[[1, 2]]] }), 'write Uint8Array.from(images.flat(Infinity))'],
    ['a buffer', dataset({ images: new ArrayBuffer(3 * 192) }), 'got an ArrayBuffer; write new Uint8Array(images)'],
    [
      'too few pixels',
      dataset({ images: new Uint8Array(192) }),
      '3 labels and images of 8×8×3 need 576 bytes of pixels, got 192',
    ],
    [
      'one-hot rows, one after another',
      dataset({ labels: new Float32Array(9) }),
      'got 576; of one-hot rows, give the class indices',
    ],
    [
      'one-hot rows',
      dataset({
        labels: [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ],
      }),
      'labels.0: expected the name or the index of one of 3 classes (0 to 2), got [1, 0, 0]; of a one-hot row, give the place of the 1',
    ],
    [
      'a label that is no number',
      dataset({ labels: [0, Number.NaN, 2] }),
      'labels.1: expected the name or the index of one of 3 classes (0 to 2), got NaN',
    ],
    [
      'half a class',
      dataset({ labels: Float32Array.of(0, 1, 1.5) }),
      'labels.2: expected the name or the index of one of 3 classes (0 to 2), got 1.5',
    ],
    [
      'a class too many',
      dataset({ labels: Int32Array.of(0, 3, 1) }),
      'labels.1: expected the name or the index of one of 3 classes (0 to 2), got 3',
    ],
    [
      'a negative class',
      dataset({ labels: Int8Array.of(0, -1, 1) }),
      'labels.1: expected the name or the index of one of 3 classes (0 to 2), got -1',
    ],
    [
      'a word that is no class',
      dataset({ labels: ['flat', 'donw', 'across'] }),
      "labels.1: unknown class 'donw'; did you mean 'down'?",
    ],
    [
      'labels of 64 bits',
      dataset({ labels: BigInt64Array.of(0n, 1n, 2n) }),
      'got 0n; write Int32Array.from(labels, Number)',
    ],
    [
      'holes',
      dataset({ labels: Array(3) }),
      'labels.0: expected the name or the index of one of 3 classes (0 to 2), got undefined',
    ],
    [
      'one text of labels',
      dataset({ labels: 'abc' }),
      "labels: expected a class index or the name of a class for each image, got 'abc'",
    ],
    ['no labels', dataset({ labels: undefined }), 'labels: missing; expected the class of each image'],
    [
      'a shape without channels',
      dataset({ imageShape: [8, 24] }),
      'imageShape: expected [height, width, channels], got [8, 24]',
    ],
  ])('%s', (_, call, message) => refused(call, message))

  test('words are taken for their classes, clamped pixels as they are', () => {
    const { labels, classes } = arrayDataset({
      images: new Uint8ClampedArray(3 * 192),
      labels: ['flat', 'across', 'flat'],
      imageShape: [8, 8, 3],
      classes: stripeClasses,
    })
    expect([...labels].map(label => classes[label])).toEqual(['flat', 'across', 'flat'])
  })

  const wrong = (more: object) => () => evaluate(stripeModel, { ...stripes(3), ...more } as never, { engine })
  test.each<[string, () => unknown, string]>([
    [
      'labels in a plain list',
      wrong({ labels: [0, 1, 2] }),
      'dataset.labels: expected an Int32Array of 3, one for each image, got [0, 1, 2]',
    ],
    ['labels of another length', wrong({ length: 4 }), 'dataset.labels: expected an Int32Array of 4'],
    [
      'a label that is no class',
      wrong({ labels: Int32Array.of(0, 1, 9) }),
      'dataset.labels.2: expected the name or the index of one of 3 classes',
    ],
    ['no images', () => evaluate(stripeModel, stripes(0), { engine }), "dataset: data set 'stripes' has no images"],
    [
      'an index beyond its images',
      () =>
        batchesOf(stripes(3), {
          batchSize: 1,
          normalization: stripeModel.preprocessing,
          indices: Uint32Array.of(2, 3),
        }),
      "indices.1: data set 'stripes' has 3 images, none at 3",
    ],
    [
      'indices in a plain list',
      () => loose(batchesOf)(stripes(3), { batchSize: 1, normalization: stripeModel.preprocessing, indices: [1] }),
      'indices: expected a Uint32Array, got [1]',
    ],
  ])("a data set of one's own: %s", (_, call, message) => refused(call, message))
})

describe('evaluate and predict', () => {
  test.each<[string, () => unknown, string]>([
    ['no model', () => loose(predict)(undefined, image), 'model: missing; expected a model'],
    [
      'a model by name',
      () => loose(predict)('resnet20', image),
      "model: expected a model, as createModel('resnet20') makes one, got 'resnet20'; write createModel('resnet20')",
    ],
    ['what makes a model', () => loose(predict)(resnet8, image), 'got the function resnet8; call it'],
    [
      'a model that is not there yet',
      () => loose(predict)(Promise.resolve(stripeModel), image),
      'got a promise (write await before it)',
    ],
    ['what holds a model', () => loose(predict)({ model: stripeModel }, image), 'got { model }; its `model` is one'],
    [
      'a classifier',
      () => loose(evaluate)(compile(stripeModel, { loss: 'mean_squared_error' }), stripeData.test),
      'got a Classifier; its `model` is one',
    ],
    [
      'pixels from 0 to 1',
      () => loose(predict)(stripeModel, new Float32Array(192)),
      'for values from 0 to 1 write Uint8Array.from(images, value => Math.round(255 * value))',
    ],
    [
      'no images',
      () => predict(stripeModel, new Uint8Array()),
      'images: an image of 8×8×3 has 192 values, got 0 in all',
    ],
    [
      'a part of an image',
      () => predictProbabilities(stripeModel, new Uint8Array(100)),
      'images: an image of 8×8×3 has 192 values, got 100 in all',
    ],
    [
      'what a canvas gives',
      () => loose(predict)(stripeModel, { data: new Uint8ClampedArray(256), width: 8, height: 8 }),
      'its `data` has four channels a pixel, of which the last, alpha, is to be left out',
    ],
    [
      'four channels',
      () => predict(stripeModel, new Uint8ClampedArray(256)),
      'got 256 in all; are there four channels, as a canvas has? Leave out the last, alpha',
    ],
    [
      'a misspelt option',
      () => loose(predict)(stripeModel, image, { tpo: 3 }),
      "tpo: unknown option; did you mean 'top'?",
    ],
    [
      'no labels at all',
      () => predict(stripeModel, image, { top: 0 }),
      'top: expected a whole number of at least 1, got 0',
    ],
    ['a number for options', () => loose(predict)(stripeModel, image, 3), 'options: expected { '],
    [
      'an engine by name',
      () => loose(predict)(stripeModel, image, { engine: 'onednn' }),
      "engine: expected an engine, as await defaultEngine() or referenceEngine() gives one, got 'onednn'; write onednnEngine()",
    ],
    [
      'what makes an engine',
      () => loose(predict)(stripeModel, image, { engine: referenceEngine }),
      'got the function referenceEngine; call it',
    ],
    [
      'a batch of no image',
      () => evaluate(stripeModel, stripeData.test, { engine, batchSize: 0 }),
      'batchSize: expected a whole number of at least 1, got 0',
    ],
    [
      'a loss by another name',
      () => loose(evaluate)(stripeModel, stripeData.test, { loss: 'mse' }),
      "loss: unknown 'mse'; known: cross-entropy, mean-squared-error",
    ],
    [
      'both parts of the data',
      () => loose(evaluate)(stripeModel, stripeData),
      'dataset: expected a data set, as arrayDataset({ images, labels, imageShape, classes }) makes one, got { train, test }; dataset.train is one',
    ],
    [
      'images as Keras takes them',
      () => loose(evaluate)(stripeModel, image, Int32Array.of(0)),
      'dataset: expected a data set',
    ],
    [
      'views by another name',
      () => loose(evaluate)(stripeModel, stripeData.test, { testTimeAugmentation: 'flip' }),
      "testTimeAugmentation: unknown 'flip'; known: none, mirror, mirror-and-shift",
    ],
    [
      'a layer that is not there',
      () =>
        evaluate(stripeModel, stripeData.test, { engine, precision: 'mixed_bfloat16', keepFloat32: ['fc', 'conv9'] }),
      "keepFloat32: 'conv9' matches no convolution or linear layer",
    ],
    [
      'memory that is no number',
      () => loose(evaluate)(stripeModel, stripeData.test, { engine, memoryLimitBytes: '1GB' }),
      "memoryLimitBytes: expected a number above 0, got '1GB'",
    ],
  ])('%s', (_, call, message) => refused(call, message))
})
