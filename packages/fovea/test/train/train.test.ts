/** @file Claims about training: it learns, it is the same every time, it goes on where it stopped, it says what is wrong. */
import { describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/data/dataset.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { DivergenceError } from '../../src/errors.js'
import { decodeCheckpoint, encodeCheckpoint } from '../../src/formats/checkpoint.js'
import type { Model } from '../../src/models/model.js'
import { createModel } from '../../src/models/registry.js'
import { train } from '../../src/train/train.js'
import type { EpochReport, StepProgress, TrainOptions } from '../../src/train/train-options.js'
import type { Checkpoint, TrainingState } from '../../src/train/training-state.js'
import { stripeClasses, stripeData, stripes } from './patterns.js'
import { small } from './small-model.js'

const engine = referenceEngine()

const options: TrainOptions = {
  data: stripeData,
  engine,
  epochs: 4,
  batchSize: 16,
  optimizer: { type: 'adam' },
  schedule: { type: 'one-cycle', peak: 0.05 },
  augmentation: { crop: { padding: 1 } },
}

test('a run learns, reports every step and epoch, and leaves the model it was given as it was', async () => {
  const model = small()
  const before = new Map([...model.weights].map(([name, values]) => [name, values.slice()]))
  const steps: StepProgress[] = []
  const epochs: EpochReport[] = []
  const run = await train(model, {
    ...options,
    onStep: step => steps.push(step),
    onEpoch: epoch => void epochs.push(epoch),
  })
  expect(model.weights).toEqual(before)
  expect(steps.map(({ epoch, step }) => [epoch, step])).toEqual(
    [1, 2, 3, 4].flatMap(epoch => [1, 2, 3, 4, 5, 6].map(step => [epoch, step])),
  )
  expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4])
  expect(run).toMatchObject({ interrupted: false, history: epochs.map(({ epoch, loss }) => ({ epoch, loss })) })
  const { accuracy, loss, images } = await run.evaluate()
  expect(images).toBe(30)
  expect(accuracy).toBe(epochs[3].validationAccuracy)
  expect(loss).toBeCloseTo(epochs[3].validationLoss!, 6)
  expect(accuracy).toBeGreaterThan(0.9)
})

test('validation images choose the best epoch; the test images are not looked at before the end', async () => {
  const validation = stripes(24, 5)
  let looked = 0
  const unseen: Dataset = {
    ...stripeData.test,
    read(indices, target) {
      looked++
      stripeData.test.read(indices, target)
    },
  }
  const data = { train: stripeData.train, validation, test: unseen }
  const run = await train(small(), { ...options, epochs: 2, data })
  expect(looked).toBe(0)
  const { accuracy, images } = await run.evaluate()
  expect([looked > 0, images]).toEqual([true, 30])
  const alone = await train(small(), { ...options, epochs: 2, data: { train: stripeData.train, test: validation } })
  expect(run.history).toEqual(alone.history)
  expect((await run.evaluate(validation)).accuracy).toBe(run.history[1].validationAccuracy)
  const onlyValidation = await train(small(), { ...options, epochs: 2, data: { train: stripeData.train, validation } })
  expect((await onlyValidation.evaluate()).images).toBe(24)
  expect(accuracy).toBeGreaterThan(0.3)
})

test('a run goes on with the same validation and test images only', async () => {
  const data = { train: stripeData.train, validation: stripes(24, 5), test: stripeData.test }
  const saves: Checkpoint[] = []
  await train(small(), { ...options, epochs: 1, data, save: async checkpoint => void saves.push(checkpoint) })
  const goOn = (images: TrainOptions['data']) =>
    train(saves[0].model, { ...options, epochs: 1, data: images, resume: saves[0].training as TrainingState })
  expect((await goOn(data)).history.length).toBe(1)
  for (const other of [{ validation: stripes(24, 6) }, { test: stripes(30, 6) }]) {
    await expect(goOn({ ...data, ...other })).rejects.toThrow('the held-out images are not those')
  }
})

const bytesOf = (checkpoint: Checkpoint): Buffer => Buffer.concat(encodeCheckpoint(checkpoint))

/** The checkpoints that a run saves. */
async function saved(more: Partial<TrainOptions>, model: Model = small()): Promise<Buffer[]> {
  const files: Buffer[] = []
  await train(model, { ...options, ...more, save: async checkpoint => void files.push(bytesOf(checkpoint)) })
  return files
}

describe('bits', () => {
  test('the same seed gives the same, another seed others', async () => {
    const [first, again, other] = [await saved({ seed: 1 }), await saved({ seed: 1 }), await saved({ seed: 2 })]
    expect(again.map(file => file.equals(first[again.indexOf(file)]))).toEqual([true, true, true, true])
    expect(other[3].equals(first[3])).toBe(false)
  })

  test('one-hot labels give the same as class indices', async () => {
    const weights = async (labels: 'index' | 'one-hot') => (await train(small(), { ...options, labels })).model.weights
    expect(await weights('one-hot')).toEqual(await weights('index'))
  })

  const runs: Record<string, Partial<TrainOptions>> = {
    plain: {},
    'a moving average': { average: { type: 'moving', decay: 0.9 } },
    lookahead: { average: { type: 'lookahead', every: 4, decay: 0.5, power: 1 } },
    'parts, cut gradients and groups': {
      ...{ accumulate: 2, clipNorm: 0.5, groups: [{ match: 'bn.*', rate: 2, until: 2 }], classWeights: 'balanced' },
    },
    float16: { precision: 'mixed_float16', optimizer: { type: 'sgd', momentum: 0.9 } },
    'early stopping': { earlyStopping: { patience: 3 } },
  }

  test.each(['mixup', 'cutmix'] as const)(
    'a run on images mixed by %s learns, and goes on as it would have',
    async type => {
      const mixed = { augmentation: { mix: { type, alpha: 0.4 } }, epochs: 6 }
      const whole = await saved(mixed)
      const { model, training } = decodeCheckpoint('x', whole[2])
      expect(training?.settings.labels).toBe('one-hot')
      const rest = await saved({ ...mixed, resume: training! }, model)
      expect(rest.at(-1)!.equals(whole.at(-1)!)).toBe(true)
      expect(decodeCheckpoint('x', whole[5]).training?.history[5].validationAccuracy).toBeGreaterThan(0.8)
    },
  )

  describe.each(Object.entries(runs))('%s', (_, more) => {
    test('a run that goes on from any of its checkpoints ends as one that never stopped', async () => {
      const often = { ...more, epochs: 2, saveSeconds: 0 }
      const whole = await saved(often)
      expect(whole.length).toBe(12)
      for (const [i, file] of whole.entries()) {
        const { model, training } = decodeCheckpoint('x', file)
        const rest = await saved({ ...often, resume: training! }, model)
        expect(rest.map((bytes, j) => bytes.equals(whole[i + 1 + j]))).toEqual(whole.slice(i + 1).map(() => true))
      }
    })

    test('so does one that was interrupted in the middle of an epoch', async () => {
      const whole = await saved(more)
      const signal = { aborted: false }
      const files = await saved({
        ...more,
        signal,
        onStep: ({ epoch, step }) => {
          signal.aborted = epoch === 2 && step === 3
        },
      })
      expect(files.length).toBe(2)
      const { model, training } = decodeCheckpoint('x', files[1])
      expect(training).toMatchObject({ epoch: 1, step: 3 })
      const rest = await saved({ ...more, resume: training! }, model)
      expect(rest.at(-1)!.equals(whole.at(-1)!)).toBe(true)
    })
  })
})

test('an interrupted run says so and has the weights of its last step', async () => {
  const signal = { aborted: false }
  const stop = () => {
    signal.aborted = true
  }
  const run = await train(small(), { ...options, signal, onStep: stop })
  expect(run).toMatchObject({ interrupted: true, history: [] })
  expect(run.model.weights.get('fc.weight')).not.toEqual(small().weights.get('fc.weight'))
})

test('without held-out images only training is measured', async () => {
  const run = await train(small(), { ...options, data: { train: stripeData.train }, epochs: 1 })
  expect(run.history).toEqual([{ epoch: 1, loss: expect.any(Number), accuracy: expect.any(Number) }])
  await expect(run.evaluate()).rejects.toThrow('evaluate needs a data set')
  expect((await run.evaluate(stripeData.test)).images).toBe(30)
})

describe('what is wrong is said', () => {
  test('a loss that is no number stops the run, names the step, and is never saved', async () => {
    const files: Buffer[] = []
    const run = train(small(), {
      ...options,
      epochs: 3,
      optimizer: { type: 'sgd' },
      schedule: { type: 'step', rate: 0.01, milestones: [0.4], factor: 1e30 },
      save: async checkpoint => void files.push(bytesOf(checkpoint)),
    })
    await expect(run).rejects.toThrow(DivergenceError)
    await expect(run).rejects.toThrow(
      /the loss is (NaN|Infinity) at step [34] of 6 in epoch 2, at a learning rate of 1e\+28; try a lower/,
    )
    expect(files.length).toBe(1)
    expect(decodeCheckpoint('x', files[0]).training?.epoch).toBe(1)
  })

  test('weights that the last step of an epoch broke are not saved either', async () => {
    const files: Buffer[] = []
    const run = train(small(), {
      ...options,
      epochs: 1,
      optimizer: { type: 'sgd' },
      schedule: { type: 'step', rate: 0.01, milestones: [5 / 6], factor: 1e300 },
      save: async checkpoint => void files.push(bytesOf(checkpoint)),
    })
    await expect(run).rejects.toThrow('the loss is NaN at step 6 of 6 in epoch 1')
    expect(files).toEqual([])
  })

  test('held-out images that overflow where training images do not stop the run as well', async () => {
    const files: Buffer[] = []
    const model = small()
    const weights = new Map(model.weights)
    weights.set('bn.running_mean', new Float32Array(8).fill(-3e38))
    weights.set('bn.weight', new Float32Array(8).fill(100))
    const run = train(
      { ...model, weights },
      {
        ...options,
        epochs: 1,
        optimizer: { type: 'sgd' },
        schedule: { type: 'constant', rate: 0 },
        save: async checkpoint => void files.push(bytesOf(checkpoint)),
      },
    )
    await expect(run).rejects.toThrow('the held-out loss is NaN at step 6 of 6 in epoch 1')
    expect(files).toEqual([])
  })

  test('a history with numbers that JSON cannot hold is not saved', () => {
    const history = [{ epoch: 1, loss: Number.NaN, accuracy: 0 }]
    const training = { settings: {}, data: '', epoch: 1, step: 0, lossSum: 0, correct: 0, history, slots: new Map() }
    expect(() => encodeCheckpoint({ model: small(), training })).toThrow("'loss' is NaN: it cannot be saved")
  })

  test.each<[string, Partial<TrainOptions>, string]>([
    [
      'images of another size',
      { data: { train: { ...stripes(32), imageShape: [16, 4, 3] } } },
      'small takes images of 8×8×3, stripes has images of 16×4×3',
    ],
    [
      'other classes',
      { data: { train: { ...stripes(32), classes: ['a', 'b', 'c', 'd'] } } },
      'small tells 3 classes apart, stripes has 4',
    ],
    [
      'classes of other names',
      { data: { train: { ...stripes(32), classes: ['across', 'up', 'flat'] } } },
      "class 1 is 'down' to small, 'up' in stripes",
    ],
    ['a batch larger than the data', { batchSize: 200 }, 'use at most 96'],
    [
      'a time between two saves that is none',
      { saveSeconds: Number.NaN },
      'saveSeconds: expected a number of at least 0, got NaN',
    ],
    ['a loss that does not exist', { loss: 'hinge' as never }, "loss: unknown 'hinge'"],
    ['too little memory', { memoryLimitBytes: 1000 }, 'there are 1000 bytes: not even a batch of one fits'],
  ])('%s', async (_, more, message) => {
    await expect(train(small(), { ...options, ...more })).rejects.toThrow(message)
  })
})

test('a model of the registry trains on a data set of its default shape', async () => {
  const data = stripes(6)
  const model = createModel('resnet8', { input: [8, 8, 3], labels: stripeClasses })
  const run = await train(model, { data: { train: data }, engine, epochs: 1, batchSize: 3 })
  expect(run.history.length).toBe(1)
})
