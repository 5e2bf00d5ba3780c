/** @file Claims about all that the library exports: whatever is given in the place of an argument, none ends in an accident. */
import { describe, expect, test } from 'vitest'
import * as fovea from '../../src/index.js'
import { stripeData } from '../train/patterns.js'
import { stripeModel, stripeRun } from '../train/small-model.js'
import { type Argument, expectRefusals, functionsOf, optional, options, required } from './mistakes.js'
import { loose } from './refused.js'

const engine = fovea.referenceEngine()
const model = required(stripeModel)
const { graph: modelGraph, preprocessing: normalization } = stripeModel
const graph = required(modelGraph)
const dataset = required(stripeData.train)
const image = required(new Uint8Array(192))
const name = required('a.safetensors', 'a text')
const batches = required({ batchSize: 8, normalization })
const step = required({ batchSize: 8, optimizer: stripeRun.optimizer })
const settings = fovea.resolveSettings(stripeModel, 96, {})
const labels = required(Int32Array.of(0, 1))
const file = Uint8Array.from(fovea.encodeCheckpoint({ model: stripeModel }).flatMap(chunk => [...chunk]))
const onnx = Uint8Array.from(fovea.encodeOnnx(stripeModel).flatMap(chunk => [...chunk]))
const weights = Uint8Array.from(
  fovea.encodeCheckpoint({ model: fovea.createModel('resnet20') }).flatMap(chunk => [...chunk]),
)
const index = new TextEncoder().encode('{"weight_map":{"w":"a.safetensors"}}')
const parity = { model: 'resnet8', batch: 1, size: 32, classes: 2, parameters: 1, logits: [[0, 1]], float32: {} }

const { model: prepared } = await fovea.prepareQuantization(stripeModel, { images: stripeData.train, engine })

const exported = new Map<string, unknown>(Object.entries(fovea))

/** Right arguments of every function. */
const calls: Readonly<Record<string, readonly Argument[]>> = {
  analyzePruning: [model, required({ images: stripeData.test, ratios: [0.5], engine })],
  arrayDataset: [required({ images: new Uint8Array(192), labels: [0], imageShape: [8, 8, 3], classes: ['a', 'b'] })],
  batchPlan: [dataset, batches],
  batchesOf: [dataset, batches],
  checkSettings: [model, required(settings), required(1), required({ data: 'of the images' }), optional(undefined)],
  classIndices: [model, dataset],
  cnn: [options()],
  compile: [model, required({ loss: 'mean_squared_error' })],
  computeType: [optional('float32')],
  connectionsOf: [model],
  concat: [dataset, dataset, optional('both', 'a text')],
  convertQuantization: [required(prepared), options()],
  createModel: [required('resnet8'), options()],
  decodeCheckpoint: [name, required(file)],
  decodeOnnx: [name, required(onnx), options()],
  decodeSafetensors: [name, required(file)],
  decodeWeights: [name, required(file), model],
  defaultEngine: [],
  defaultRecipe: [required('resnet8', 'a text')],
  efficientnet: [required({ variant: 'b0' })],
  encodeCheckpoint: [required({ model: stripeModel })],
  encodeOnnx: [model, options()],
  encodeSafetensors: [required({ tensors: new Map(), metadata: {} })],
  encodeWeights: [model, options()],
  evaluate: [model, dataset, options({ engine })],
  evaluationGraph: [graph, required(1), options()],
  featureGraph: [graph, required(['conv1'], 'an empty list')],
  findLearningRate: [model, required({ data: stripeData, engine })],
  fingerprintOf: [image, labels],
  graphMultiplyAdds: [graph],
  importWeights: [required(fovea.openWeights('a', weights)), required('resnet20'), options()],
  initialWeights: [graph, required(0), optional({ dataset: stripeData.train, normalization })],
  isQuantized: [model],
  learningRateAt: [required({ type: 'constant', rate: 1 }), required(0), required(1), optional(1)],
  logitsOf: [graph],
  measureNormalization: [dataset, optional(1)],
  measureParity: [required(parity), required(engine)],
  mostProbable: [
    required(Float32Array.of(0.2, 0.8)),
    required(['a', 'b'], 'an empty list', 'a list of texts'),
    optional(1),
  ],
  oneHot: [required([0, 1], 'an empty list'), required(2)],
  onnxPrecisionOf: [model],
  openPredictor: [model, options({ engine })],
  openSource: [name, required(file)],
  openWeights: [name, required(file)],
  parameterCount: [graph],
  parseAugmentation: [required({}, 'an empty object'), required([8, 8, 3])],
  parseParityFile: [required(parity)],
  peakActivationBytes: [model, options()],
  peakRate: [required({ type: 'constant', rate: 1 })],
  predict: [model, image, options({ engine })],
  predictProbabilities: [model, image, options({ engine })],
  prepareQuantization: [model, required({ images: stripeData.train, engine })],
  printGraph: [graph],
  prunablePart: [model, options()],
  pruneChannels: [model, required({ amount: 0.5 })],
  pruneIteratively: [model, required({ amount: 0.5, iterations: 2, train: (left: unknown) => Promise.resolve(left) })],
  pruneWeights: [model, required({ amount: 0.5 })],
  quantizeModel: [model, required({ images: stripeData.train, engine })],
  quantizeWeights: [model, options()],
  recipeOf: [required('fast')],
  referenceEngine: [options()],
  replaceHead: [model, required(['a', 'b']), optional(0)],
  resnet: [required({ depth: 20 })],
  resnet8: [options()],
  resolveSettings: [model, required(96), required({}, 'an empty object')],
  roundsAsIntegers: [model],
  shardsOf: [required('index.json', 'a text'), required(index)],
  speednet: [options()],
  split: [dataset, required(0.5), optional(0)],
  splitLabels: [labels, required(2), required(0.5), required(0)],
  subset: [dataset, required([0], 'an empty list'), optional('part', 'a text')],
  summarize: [model, options()],
  take: [dataset, required(1), optional(0)],
  train: [model, required({ data: stripeData, epochs: 1, engine })],
  trainingBytes: [model, step],
  trainingGraph: [graph, step],
}

/** What messages are made of, of what has been checked. */
const wording = ['formatBytes', 'formatShape', 'nearestHint', 'nearestNames', 'oneOf', 'unknownName']

test('the table has every function', () => {
  expect([...Object.keys(calls), ...wording].sort()).toEqual(functionsOf(fovea))
})

describe('whatever is given in the place of an argument is refused in words', () => {
  test.each(Object.entries(calls))('%s', (name, given) => expectRefusals(exported.get(name), given))
})

describe('an engine', () => {
  test('compile', () => expectRefusals(engine.compile, [graph, options()]))

  test('a program', async () => {
    const program = await engine.compile(modelGraph)
    const call =
      (f: 'run' | 'read' | 'write') =>
      (...values: unknown[]) =>
        loose(program[f].bind(program))(...values)
    await expectRefusals(call('run'), [
      required({ image: new Float32Array(192) }),
      optional(['logits'], 'an empty list'),
    ])
    await expectRefusals(call('read'), [required('conv.weight')])
    await expectRefusals(call('write'), [required('conv.weight'), required(new Float32Array(27))])
    program.dispose()
  })
})
