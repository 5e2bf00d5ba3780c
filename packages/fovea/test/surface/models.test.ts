/** @file Claims about plain JavaScript: what can be given wrongly to what makes models is refused, and the message says what to write. */
import { describe, test } from 'vitest'
import {
  cnn,
  createModel,
  efficientnet,
  normalizations,
  replaceHead,
  resnet,
  resnet8,
  speednet,
} from '../../src/index.js'
import { stripeData } from '../train/patterns.js'
import { stripeModel } from '../train/small-model.js'
import { loose, refused } from './refused.js'

const image = new Uint8Array(192)

describe('models', () => {
  test.each<[string, () => unknown, string]>([
    [
      'a misspelt option',
      () => loose(createModel)('resnet20', { class: 10 }),
      "class: unknown option; did you mean 'classes'?",
    ],
    [
      'of each architecture',
      () => loose(cnn)({ inputs: [32, 32, 3] }),
      "inputs: unknown option; did you mean 'input'?",
    ],
    [
      'of each architecture',
      () => loose(speednet)({ label: ['a', 'b'] }),
      "label: unknown option; did you mean 'labels'?",
    ],
    ['of each architecture', () => loose(resnet8)({ seeds: 1 }), "seeds: unknown option; did you mean 'seed'?"],
    ['another depth by name', () => loose(createModel)('resnet20', { depth: 18 }), 'depth: unknown option'],
    [
      'another variant by name',
      () => loose(createModel)('efficientnet-b0', { variant: 'b7' }),
      'variant: unknown option',
    ],
    ['a text for a depth', () => loose(resnet)({ depth: '20' }), "depth: expected a whole number, got '20'"],
    [
      'a depth that the paper does not have',
      () => resnet({ depth: 21 }),
      "depth: there is no ResNet of 21 layers; did you mean '20'",
    ],
    ['no depth', () => loose(resnet)(), 'missing; expected {'],
    ['no variant', () => loose(efficientnet)({}), "variant: missing; expected 'b0', 'b1'"],
    ['a variant in capitals', () => efficientnet({ variant: 'B0' }), "variant: unknown 'B0'; did you mean 'b0'"],
    [
      'a dropout that drops all',
      () => efficientnet({ variant: 'b0', dropout: 1 }),
      'dropout: expected a number of at least 0 and below 1, got 1',
    ],
    [
      'a stem stride of 4',
      () => loose(efficientnet)({ variant: 'b0', stemStride: 4 }),
      'stemStride: expected a whole number from 1 to 2, got 4',
    ],
    ['a model for a name', () => loose(createModel)(stripeModel), 'name: expected a text, got {'],
    ['null for options', () => loose(cnn)(null), 'options: expected { classes, input'],
    [
      'labels in one text',
      () => loose(cnn)({ labels: 'cat,dog' }),
      "labels: expected a list of class names, got 'cat,dog'",
    ],
    ['labels that are numbers', () => loose(cnn)({ labels: [0, 1] }), 'labels.0: expected a text, got 0'],
    ['one label', () => cnn({ labels: ['cat'] }), 'labels: expected a name for each of 2 classes, got 1'],
    [
      'a size in one text',
      () => loose(cnn)({ input: '32x32x3' }),
      "input: expected [height, width, channels], got '32x32x3'",
    ],
    ['half a pixel', () => cnn({ input: [32, 32.5, 3] }), 'input.1: expected a whole number of at least 1, got 32.5'],
    ['a seed that is no number', () => loose(cnn)({ seed: '0' }), "seed: expected a whole number, got '0'"],
    [
      'a normalization by name',
      () => loose(cnn)({ normalization: 'imagenet' }),
      "normalization: expected { mean, deviation }, each a list with a number for each channel, got 'imagenet'",
    ],
    [
      'a mean of other channels',
      () => cnn({ input: [32, 32, 1], normalization: normalizations.cifar10 }),
      'normalization.mean: expected a number for each of 1 channel, got 3',
    ],
    [
      'a deviation of 0',
      () => cnn({ normalization: { mean: [0, 0, 0], deviation: [1, 0, 1] } }),
      'normalization.deviation.1: expected a number above 0, got 0',
    ],
    [
      'images that are pixels',
      () => loose(speednet)({ images: image }),
      'images: expected a data set, as arrayDataset({ images, labels, imageShape, classes }) makes one, got Uint8Array of 192',
    ],
    ['images of both parts', () => loose(speednet)({ images: stripeData }), 'got { train, test }; images.train is one'],
    [
      'images of another size',
      () => speednet({ images: stripeData.train }),
      'images: the model takes images of 32×32×3, these are of 8×8×3',
    ],
    [
      'a head without a model',
      () => loose(replaceHead)(undefined, ['a', 'b']),
      "model: missing; expected a model, as createModel('resnet20') makes one",
    ],
    [
      'a head for one class',
      () => replaceHead(stripeModel, ['a']),
      'labels: a classifier needs at least 2 classes, got 1',
    ],
    [
      'a head for a number of classes',
      () => loose(replaceHead)(stripeModel, 5),
      'labels: expected a list of class names, got 5',
    ],
  ])('%s', (_, call, message) => refused(call, message))
})
