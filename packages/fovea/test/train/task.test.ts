/** @file Claims about tasks: what trains and measures a classifier does so with any other. */
import { expect, test } from 'vitest'
import type { Batch } from '../../src/data/dataset.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { meanSquaredError } from '../../src/ops/mean-squared-error.js'
import { classification } from '../../src/train/classification.js'
import { Epochs } from '../../src/train/epochs.js'
import { Evaluator } from '../../src/train/evaluate.js'
import { resolveSettings } from '../../src/train/settings.js'
import type { Measures, Task } from '../../src/train/task.js'
import { TrainingStep } from '../../src/train/training-step.js'
import { stripeClasses, stripeData } from './patterns.js'
import { small } from './small-model.js'

/** By image three numbers: 1 at its class, −1 elsewhere. */
const targetsOf = ({ labels }: Batch): Float32Array =>
  Float32Array.from({ length: 3 * labels.length }, (_, i) => (labels[Math.floor(i / 3)] === i % 3 ? 1 : -1))

/** Not to tell classes apart, but to come near numbers: nothing of it is a classifier's. */
const regression: Task<Measures, Float32Array> = {
  outputs: ['logits'],
  targets: batch => ({ numbers: targetsOf(batch) }),
  loss(builder, outputs) {
    const values = outputs.get('logits')!
    return builder.emit(meanSquaredError, [values, builder.input('numbers', values.type.shape)], {}, 'loss')
  },
  metrics() {
    let [sum, images] = [0, 0]
    return {
      add({ logits }, batch) {
        const targets = targetsOf(batch)
        for (let i = 0; i < 3 * batch.count; i++) sum += (logits[i] - targets[i]) ** 2
        images += batch.count
      },
      get result() {
        return { loss: sum / images, accuracy: 0, images }
      },
    }
  },
  correct: () => 0,
  decode: ({ logits }, { count }) => Float32Array.from(logits.subarray(0, 3 * count)),
}

test.each([1, 2])(
  'a model learns to come near numbers, in %i parts of a batch, and is measured by that',
  async accumulate => {
    const [model, engine] = [small(), referenceEngine()]
    const settings = resolveSettings(model, stripeData.train.length, {
      ...{ batchSize: 16, accumulate, optimizer: { type: 'adam' }, schedule: { type: 'constant', rate: 0.02 } },
    })
    const passes = new Epochs(model, stripeData.train, settings)
    const step = await TrainingStep.compile(model, regression, engine, settings, passes, {
      memory: 'standard',
      epochs: 5,
    })
    const evaluator = await Evaluator.compile(model, regression, engine, { batchSize: 16 })
    const measured = async () => {
      await evaluator.load((await step.state()).weights)
      return evaluator.evaluate(stripeData.test)
    }
    await step.begin(model.weights)
    const before = await measured()
    for (let epoch = 0; epoch < 5; epoch++) {
      let at = 0
      for await (const batch of passes.batches(epoch))
        await step.run(batch, { epoch, step: at++, lossScale: undefined })
    }
    const after = await measured()
    expect(after.images).toBe(stripeData.test.length)
    expect(after.loss).toBeLessThan(before.loss / 2)
    const decoded: number[] = []
    for await (const values of evaluator.decoded(stripeData.test)) decoded.push(...values)
    expect(decoded.length).toBe(3 * stripeData.test.length)
    step.dispose()
    evaluator.dispose()
  },
)

test('classification: targets, what is right, what is measured and what outputs mean are of the classes', () => {
  const task = classification({ classes: stripeClasses, loss: 'cross-entropy', labels: 'one-hot', labelSmoothing: 0 })
  const batch = { images: new Float32Array(), labels: Int32Array.of(2, 0), count: 1 }
  expect(task.targets(batch)).toEqual({ label: Float32Array.of(0, 0, 1, 1, 0, 0) })
  const outputs = { logits: Float32Array.of(0, 0, Math.log(2), 5, 0, 0) }
  expect(task.correct(outputs, batch)).toBe(2)
  expect([...task.decode(outputs, batch)]).toEqual([0.25, 0.25, 0.5].map(value => expect.closeTo(value, 6)))
  const metrics = task.metrics()
  metrics.add(outputs, batch)
  expect(metrics.result).toMatchObject({ images: 1, accuracy: 1, loss: expect.closeTo(Math.log(2), 6) })
  expect(metrics.result.classes.map(({ label }) => label)).toEqual(stripeClasses)
})
