/** @file Claims about plain JavaScript: what `train` can be given wrongly is refused, and the message says what to write. */
import { describe, test } from 'vitest'
import { referenceEngine, resnet8, subset, train } from '../../src/index.js'
import { stripeData, stripes } from '../train/patterns.js'
import { stripeModel, stripeRun } from '../train/small-model.js'
import { loose, refused } from './refused.js'

const engine = referenceEngine()
const training = (more: object) => () => loose(train)(stripeModel, { ...stripeRun, ...more })
const withData = (data: unknown) => training({ data })
/** A run by a recipe. */
const byRecipe = (more: object) => () => loose(train)(stripeModel, { data: stripeData, engine, epochs: 1, ...more })
const sgd = { type: 'sgd' } as const

describe('train', () => {
  test.each<[string, () => unknown, string]>([
    ['no options', () => loose(train)(stripeModel), 'options: missing; expected { data, epochs, batchSize'],
    [
      'the arguments the other way round',
      () => loose(train)(stripeRun, stripeModel),
      "model: expected a model, as createModel('resnet20') makes one, got { data, engine, epochs",
    ],
    ['what makes a model', () => loose(train)(resnet8, stripeRun), 'got the function resnet8; call it'],
    [
      'an option in small letters',
      byRecipe({ learningrate: 0.5 }),
      "learningrate: unknown option; did you mean 'learningRate'?",
    ],
    ["Keras's spelling", byRecipe({ batch_size: 8 }), "batch_size: unknown option; did you mean 'batchSize'?"],
    ['an option of another library', byRecipe({ lr: 0.1 }), 'lr: unknown option'],
    [
      'a misspelt option within an option',
      training({ optimizer: { type: 'sgd', momentm: 0.9 } }),
      "optimizer.momentm: unknown option; did you mean 'momentum'?",
    ],
    [
      'an optimizer without its type',
      training({ optimizer: { momentum: 0.9 } }),
      "optimizer.type: expected 'sgd', 'adam', 'adamw' or 'rmsprop', got undefined",
    ],
    [
      'an optimizer by name',
      training({ optimizer: 'adam' }),
      "optimizer: expected { type: 'sgd', 'adam', 'adamw' or 'rmsprop', … }, got 'adam'; write { type: 'adam' }",
    ],
    [
      'a learning rate within an optimizer',
      training({ optimizer: { ...sgd, learningRate: 0.1 } }),
      'optimizer.learningRate: unknown option; known: momentum, nesterov, weightDecay',
    ],
    [
      'a text for a number',
      training({ optimizer: { ...sgd, momentum: '0.9' } }),
      "optimizer.momentum: expected a number of at least 0 and below 1, got '0.9'",
    ],
    ['an optimizer alone', byRecipe({ optimizer: sgd }), 'schedule: missing; give optimizer and schedule together'],
    [
      'a schedule alone',
      byRecipe({ schedule: { type: 'constant', rate: 1 } }),
      'optimizer: missing; give optimizer and schedule together',
    ],
    [
      'an optimizer and a recipe',
      training({ recipe: 'fast' }),
      'recipe: give an optimizer and a schedule, or a recipe and its learning rate, not both',
    ],
    [
      'a misspelt schedule',
      training({ schedule: { type: 'onecycle', peak: 0.1 } }),
      "schedule.type: unknown 'onecycle'; did you mean 'one-cycle'?",
    ],
    [
      'a schedule without its rate',
      training({ schedule: { type: 'cosine' } }),
      'schedule.rate: missing; expected a number of at least 0',
    ],
    [
      'a rate that is no number',
      training({ schedule: { type: 'constant', rate: Number.NaN } }),
      'schedule.rate: expected a number of at least 0, got NaN',
    ],
    [
      'milestones in epochs',
      training({ schedule: { type: 'step', rate: 1, milestones: [30, 60] } }),
      'schedule.milestones.0: expected a number from 0 to 1, got 30',
    ],
    [
      'a learning rate of nothing',
      byRecipe({ learningRate: Number.NaN }),
      'learningRate: expected a number above 0, got NaN',
    ],
    ['a misspelt recipe', byRecipe({ recipe: 'fats' }), "recipe: unknown 'fats'; did you mean 'fast'?"],
    ['no length', byRecipe({ epochs: undefined }), "epochs: missing; recipe 'one-cycle' is for any number of them"],
    ['half an epoch', training({ epochs: 0.5 }), 'epochs: expected a whole number of at least 1, got 0.5'],
    [
      'epochs without end',
      training({ epochs: Number.POSITIVE_INFINITY }),
      'epochs: expected a whole number of at least 1, got Infinity',
    ],
    ['a batch of no image', training({ batchSize: 0 }), 'batchSize: expected a whole number of at least 1, got 0'],
    [
      'a batch larger than the data',
      training({ batchSize: 97 }),
      "batchSize: a batch of 97 is larger than the 96 training images of data set 'stripes'; use at most 96",
    ],
    [
      'unequal parts',
      training({ accumulate: 3 }),
      'accumulate: expected a number that divides the batch of 8 images into equal parts, got 3',
    ],
    ['a norm of nothing', training({ clipNorm: 0 }), 'clipNorm: expected a number above 0, got 0'],
    [
      'all of a label smoothed away',
      training({ labelSmoothing: 1 }),
      'labelSmoothing: expected a number of at least 0 and below 1, got 1',
    ],
    ['labels of another form', training({ labels: 'onehot' }), "labels: unknown 'onehot'; did you mean 'one-hot'?"],
    ["Keras's loss", training({ loss: 'categorical_crossentropy' }), "loss: unknown 'categorical_crossentropy'"],
    [
      'a misspelt precision',
      training({ precision: 'bfloat16' }),
      "precision: unknown 'bfloat16'; did you mean 'mixed_bfloat16'?",
    ],
    [
      'one pattern instead of a list',
      training({ keepFloat32: 'fc' }),
      "keepFloat32: expected a list of patterns over names of layers, got 'fc'",
    ],
    [
      'a pattern that matches nothing',
      training({ freeze: ['layer9.*'] }),
      "freeze: 'layer9.*' matches no parameter of the model, whose names are like conv1.weight",
    ],
    [
      'a group that matches nothing',
      training({ groups: [{ match: 'fc.*' }, { match: 'fx.*' }] }),
      "groups.1.match: 'fx.*' matches no parameter",
    ],
    [
      'one group instead of a list',
      training({ groups: { match: 'fc.*' } }),
      'groups: expected a list of parameter groups, got { match }',
    ],
    ['a misspelt part of a group', training({ groups: [{ match: 'fc.*', lr: 2 }] }), 'groups.0.lr: unknown option'],
    ['all frozen', training({ freeze: ['*'] }), 'all parameters are frozen'],
    [
      'a misspelt average',
      training({ average: { type: 'ema', decay: 0.9 } }),
      "average.type: unknown 'ema'; known: moving, lookahead",
    ],
    [
      'a part of an average',
      training({ average: { type: 'lookahead', decay: 0.9, power: 1 } }),
      'average.every: missing; expected a whole number of at least 1',
    ],
    [
      'a number for early stopping',
      training({ earlyStopping: 3 }),
      'earlyStopping: expected { patience, minimumDelta }, got 3',
    ],
    [
      'early stopping on nothing',
      training({ data: { train: stripeData.train }, earlyStopping: { patience: 1 } }),
      'earlyStopping: it needs held-out images',
    ],
    [
      'class weights by name',
      training({ classWeights: 'equal' }),
      "classWeights: expected a list of a number for each class, or 'balanced', got 'equal'",
    ],
    [
      'class weights for other classes',
      training({ classWeights: [1, 2] }),
      "classWeights: expected a number for each of 3 classes, or 'balanced', got 2",
    ],
    [
      'a misspelt augmentation',
      training({ augmentation: { flips: 'random' } }),
      "augmentation.flips: unknown option; did you mean 'flip'?",
    ],
    [
      'an augmentation switched on',
      training({ augmentation: { flip: true } }),
      "augmentation.flip: expected 'random' or 'alternating', got true",
    ],
    [
      'a misspelt augmentation beside the recipe’s',
      byRecipe({ augment: { cutmix: {} } }),
      'augment.cutmix: unknown option',
    ],
    [
      'another value of what is no setting',
      byRecipe({ override: { 'optimizer.momentun': 0.8 } }),
      "override.optimizer.momentun: unknown setting; did you mean 'optimizer.momentum'?",
    ],
    [
      'another value out of its range',
      byRecipe({ override: { 'optimizer.momentum': 8 } }),
      'override.optimizer.momentum: expected a number of at least 0 and below 1, got 8',
    ],
    ['a seed of half a number', training({ seed: 0.5 }), 'seed: expected a whole number, got 0.5'],
    ['a memory of bytes', training({ memory: 1e9 }), "memory: expected 'standard' or 'low', got 1000000000"],
    ['an engine by name', training({ engine: 'reference' }), "got 'reference'; write referenceEngine()"],
    [
      'a time between saves that is none',
      training({ saveSeconds: -1 }),
      'saveSeconds: expected a number of at least 0, got -1',
    ],
    ['an object for a callback', training({ onEpoch: {} }), 'onEpoch: expected a function, got {}'],
    ['a misspelt callback', training({ onEpochs: () => {} }), "onEpochs: unknown option; did you mean 'onEpoch'?"],
    [
      'a controller for its signal',
      training({ signal: new AbortController() }),
      'got an AbortController; its `signal` is one',
    ],
    [
      'a checkpoint for its state',
      training({ resume: { model: stripeModel, training: {} } }),
      'got { model, training }; its `training` is one',
    ],
    [
      'views by another name',
      training({ testTimeAugmentation: true }),
      "testTimeAugmentation: expected 'none', 'mirror' or 'mirror-and-shift', got true",
    ],
  ])('%s', (_, call, message) => refused(call, message))

  test.each<[string, () => unknown, string]>([
    ['no data', withData(undefined), 'data: missing; expected data sets by name'],
    [
      'one data set',
      withData(stripeData.train),
      "data: expected data sets by name, { train, test }, as `await cifar10()` of 'fovea-cli/data' gives them, got { name, length, imageShape, classes, fingerprint, labels, read }; write data: { train: … }",
    ],
    ['data that are not there yet', withData(Promise.resolve(stripeData)), 'got a promise (write await before it)'],
    ['what loads data', withData(async () => stripeData), 'got a function; call it'],
    ['data by name', withData('cifar10'), "got 'cifar10'"],
    ['arrays', withData([new Uint8Array(192), [0]]), 'got [Uint8Array of 192, [0]]'],
    [
      'a part that is not there yet',
      withData({ train: Promise.resolve(stripeData.train) }),
      'data.train: expected a data set, as arrayDataset({ images, labels, imageShape, classes }) makes one, got a promise (write await before it)',
    ],
    ['both parts in one', withData({ train: stripeData }), 'got { train, test }; data.train.train is one'],
    [
      'a part by another name',
      withData({ ...stripeData, val: stripeData.test }),
      "data.val: unknown part; did you mean 'validation'?",
    ],
    ['no training images', withData({ test: stripeData.test }), 'data.train: missing; expected a data set'],
    ['none to train on', withData({ train: stripes(0) }), "data.train: data set 'stripes' has no images"],
    [
      'none held out',
      withData({ ...stripeData, test: subset(stripeData.test, []) }),
      "data.test: data set 'stripes' has no images",
    ],
    [
      'images of another size',
      withData({ train: { ...stripeData.train, imageShape: [16, 4, 3] } }),
      'resnet8 takes images of 8×8×3, stripes has images of 16×4×3',
    ],
  ])('data: %s', (_, call, message) => refused(call, message))

  test('what a loader tells beside the images is left alone', async () => {
    await train(stripeModel, { ...stripeRun, epochs: 1, data: { ...stripeData, facts: { skipped: 3 } } as never })
  })
})
