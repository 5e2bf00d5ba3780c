/**
 * @file The account of a model that was made smaller: what it and its original hold, take and recognize in inference, measured on
 * the same images and in turns.
 */
import type { Dataset, Engine, Evaluation, Model } from 'fovea'
import { measureRows } from '../compare/measure.js'
import { computesInIntegers } from '../compare/row-types.js'
import { type ComparedModel, planRows } from '../compare/rows.js'
import { onInterrupt } from '../interrupt.js'
import type { Output } from '../output.js'
import { StagedProgress } from '../progress.js'
import { type FloatOperator, floatOperators } from './float-operators.js'
import { type ParametersByType, parametersByType } from './parameters.js'
import { type Speed, slowerIn } from './slower.js'

/** What was measured of a saved model on images. */
type Measured = 'fileBytes' | 'accuracy' | 'accuracyInterval' | 'images' | 'calibrationError' | 'changedPredictions'

/** What is left out of an account: it is of inference. */
type OfTraining = 'batch' | 'stepMs' | 'trainingBytes' | 'skippedSteps' | 'diverged'

/** A row of a comparison with all that it has of inference. Parameters kept and removed add up to those of the original. */
export interface Account
  extends Omit<ComparedModel, 'layers' | OfTraining | Measured>,
    Required<Pick<ComparedModel, Measured>> {
  /** As floats and as integers. */
  readonly parametersByType: ParametersByType
  /** In what it is slower than the original, by more than a tenth. */
  readonly slower: readonly Speed[]
  /** Of a model of integers: what it computes in float32 all the same. */
  readonly floatOperators?: readonly FloatOperator[]
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
/** Steps of large models take long, and are many times as long as what disturbs them: fewer will do. */
const MOST_MS = 10_000
/** One image is soon done, and a busy moment of the machine soon over. */
export const LATENCY_STEPS = 100

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
  const [{ model: original }] = all
  const subjects = all.map(each => ({ ...each, saved: true, images, original }))
  const planned = planRows(subjects, { precisions: ['float32'], seed: 0, inferenceOnly: true })
  const progress = new StagedProgress()
  const { signal, release } = onInterrupt(() => progress.stop())
  const how = { engine, steps: TIMED_STEPS, latencySteps: LATENCY_STEPS, mostMs: MOST_MS, signal, progress }
  try {
    const rows = await measureRows(planned, { ...how, say: output.say })
    return rows.map(({ layers, ...row }, i) => ({
      // Of saved models with images, all is known.
      ...(row as Omit<typeof row, Measured> & Required<Pick<typeof row, Measured>>),
      parametersByType: parametersByType(row.bytes),
      slower: slowerIn(rows[0], row),
      ...(computesInIntegers(all[i].model) && { floatOperators: floatOperators(layers) }),
    }))
  } finally {
    progress.stop()
    release()
  }
}
