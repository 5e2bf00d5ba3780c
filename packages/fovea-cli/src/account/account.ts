/**
 * @file The account of a model that was made smaller: what it and its original hold, take and recognize, measured on the same
 * images and in turns.
 */
import {
  connectionsOf,
  type Dataset,
  type Engine,
  type Evaluation,
  evaluate,
  type Model,
  peakActivationBytes,
} from 'fovea'
import { inferences, measureRows, medianMs } from '../compare/measure.js'
import { type ComparedModel, planRows } from '../compare/rows.js'
import { onInterrupt } from '../interrupt.js'
import type { Output } from '../output.js'
import { StagedProgress } from '../progress.js'
import { type Interval, wilsonInterval } from './interval.js'

/** What a model holds and does; parameters kept and removed add up to those of the original. */
export interface Account extends Omit<ComparedModel, 'layers' | 'accuracy'> {
  /** Parameters that are there, and not 0 among the weights of convolutions and matrices. */
  readonly kept: number
  readonly removed: number
  readonly fileBytes: number
  /** See `peakActivationBytes` of the library. */
  readonly peakActivationBytes: number
  /** Of inference, the median. */
  readonly throughput: { readonly batch: number; readonly imagesPerSecond: number }
  /** A fraction of `images`. */
  readonly accuracy: number
  /** In which the accuracy on all images of this kind lies with 95 %. */
  readonly accuracyInterval: Interval
  readonly images: number
  readonly calibrationError: number
  /** Images that it takes for another class than the original does. */
  readonly changedPredictions: number
}

export interface BeforeAndAfter {
  readonly before: Account
  readonly after: Account
}

/** A model and the file that holds it. */
export interface AccountedModel {
  /** As the command line has it. */
  readonly name: string
  readonly model: Model
  /** On the images, where it is known already. */
  readonly evaluation?: Evaluation
}

export interface AccountOptions {
  readonly images: Dataset
  readonly engine: Engine
  readonly output: Output
}

const TIMED_STEPS = 20
/** One image is soon done, and a busy moment of the machine soon over. */
export const LATENCY_STEPS = 100
const BATCH = 32

/** @throws FoveaError naming the model; InterruptError */
export async function accountOf(
  before: AccountedModel,
  after: AccountedModel,
  options: AccountOptions,
): Promise<BeforeAndAfter> {
  const [first, second] = await accountsOf([before, after], options)
  return { before: first, after: second }
}

/**
 * The same of several models, all in turns.
 * @param all the original first
 */
export async function accountsOf(
  all: readonly AccountedModel[],
  { images, engine, output }: AccountOptions,
): Promise<Account[]> {
  const subjects = all.map(({ name, model }) => ({ name, model, saved: true }))
  const planned = planRows(subjects, { precisions: ['float32'], seed: 0 })
  const progress = new StagedProgress()
  const { signal, release } = onInterrupt(() => progress.stop())
  const how = { engine, steps: TIMED_STEPS, latencySteps: LATENCY_STEPS, signal, progress }
  try {
    const rows = await measureRows(planned, { ...how, say: output.say })
    const batchMs = await medianMs(planned, inferences(BATCH), how)
    const evaluations: Evaluation[] = []
    for (const { model, name, evaluation } of all) {
      signal.throwIfAborted()
      progress.begin(`${name}: ${images.length} images`, 1)
      evaluations.push(evaluation ?? (await evaluate(model, images, { engine })))
    }
    const [{ predictions: original }] = evaluations
    const [{ parameters }] = rows
    return rows.map(({ layers: _, ...row }, i): Account => {
      const { accuracy, calibrationError, predictions } = evaluations[i]
      const zeros = connectionsOf(all[i].model).reduce((sum, { weights, kept }) => sum + weights - kept, 0)
      const kept = row.parameters - zeros
      return {
        ...row,
        ...{ kept, removed: parameters - kept, fileBytes: row.fileBytes! },
        peakActivationBytes: peakActivationBytes(all[i].model),
        throughput: { batch: BATCH, imagesPerSecond: (1000 * BATCH) / batchMs[i] },
        ...{ accuracy, accuracyInterval: wilsonInterval(accuracy, images.length), images: images.length },
        calibrationError,
        changedPredictions: predictions.filter((label, image) => label !== original[image]).length,
      }
    })
  } finally {
    progress.stop()
    release()
  }
}
