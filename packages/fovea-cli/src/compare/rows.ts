/** @file The rows of a comparison, every subject in every precision: what each is and holds, before anything is measured. */
import {
  type Arithmetic,
  isQuantized,
  type Model,
  type ModelSummary,
  type Precision,
  type PrecisionOptions,
  peakActivationBytes,
  type RecipeChoice,
  type RecipeName,
  resolveSettings,
  summarize,
  type TrainingBytes,
  type TrainingSettings,
  trainingBytes,
} from 'fovea'
import type { Interval } from '../account/interval.js'
import { requestedSettings } from '../run-record.js'
import { UsageError } from '../usage.js'
import { computesInIntegers, type RowPrecision, rowPrecision } from './row-types.js'
import { aboutSubject, type Subject } from './subjects.js'
import { originalOf, type Reduction, reductionOf } from './techniques.js'

/** A row as `--json` prints it: one subject in one precision. */
export interface ComparedModel extends ModelSummary, Reduction {
  /** What the model says that it is, such as `resnet20`: `model` is its name in the command line. */
  readonly architecture: string
  /** A quantized model's is `int8`, whatever of it computes in float32. */
  readonly precision: RowPrecision
  /** See `peakActivationBytes` of the library. */
  readonly peakActivationBytes: number
  /** Neither this nor `batch` and `stepMs` of a quantized model, which is trained no more, nor where training does not matter. */
  readonly trainingBytes?: TrainingBytes
  /** How the engine computes in the type of the precision: of a quantized model, in integers. */
  readonly arithmetic: Arithmetic
  /** Images of a training step. */
  readonly batch?: number
  /** Medians: of a training step, and of inference for one image. */
  readonly stepMs?: number
  readonly latencyMs: number
  /** Of inference, by the median. */
  readonly throughput: { readonly batch: number; readonly imagesPerSecond: number }
  /** Of one that was saved. */
  readonly fileBytes?: number
  /** On the held-out images, as a fraction. */
  readonly accuracy?: number
  /** In which the accuracy on all images of this kind lies with 95 %. */
  readonly accuracyInterval?: Interval
  /** How many it was measured on. */
  readonly images?: number
  readonly calibrationError?: number
  /** Images that it takes for another class than the first row of its architecture does. */
  readonly changedPredictions?: number
  /** Of training in float16: steps without an update, because gradients overflowed. */
  readonly skippedSteps?: number
  /** Why training came to no end. */
  readonly diverged?: string
}

export interface RowOptions {
  readonly precisions: readonly Precision[]
  readonly keepFloat32?: string[]
  readonly batch?: number
  readonly recipe?: RecipeName
  readonly seed: number
  /** Whether training does not matter: its steps are not timed, nor is what it holds counted. Default false. */
  readonly inferenceOnly?: boolean
}

/** A row before anything is measured. */
export interface PlannedRow {
  readonly subject: Subject
  /** `resnet20 in mixed_bfloat16` */
  readonly label: string
  /** What was asked for, from which the recipe makes the settings. */
  readonly given: Partial<TrainingSettings> & RecipeChoice
  readonly settings: TrainingSettings
  readonly summary: ModelSummary
  readonly reduction: Reduction
  readonly peakActivationBytes: number
  /** Of one that can be trained, where that matters. */
  readonly trainingBytes?: TrainingBytes
}

/** The types in which a row computes. */
export const typesOf = ({ precision, keepFloat32 }: PrecisionOptions): PrecisionOptions => ({
  ...(precision && { precision }),
  ...(keepFloat32 && { keepFloat32 }),
})

/** @throws UsageError for a batch of more images than there are; FoveaError, naming the subject, for settings that do not fit */
export const planRows = (subjects: readonly Subject[], options: RowOptions): PlannedRow[] =>
  subjects.flatMap(subject => {
    const models = subjects.map(({ model }) => model)
    const reduction = reductionOf(subject.model, subject.original ?? originalOf(subject.model, models))
    const precisions = options.precisions.filter((_, i) => i === 0 || hasFloatWeights(subject.model))
    return precisions.map(precision => ({ ...planRow(subject, precision, options), reduction }))
  })

/** Whether a policy of precision changes anything: of integers alone, it does not. */
const hasFloatWeights = (model: Model): boolean => !computesInIntegers(model) || summarize(model).bytes.float32 > 0

function planRow(subject: Subject, precision: Precision, options: RowOptions): Omit<PlannedRow, 'reduction'> {
  const { batch, recipe, seed, keepFloat32, inferenceOnly = false } = options
  const { model, training, name } = subject
  const given = requestedSettings({ model: model.name, precision, seed, batch, recipe, keepFloat32 })
  try {
    // A saved model is not trained: its steps are timed as in a run on many images.
    const images = training?.train.length ?? Number.POSITIVE_INFINITY
    const settings = resolveSettings(model, images, given)
    if (settings.batchSize > images) {
      throw new UsageError(`${name}: --batch ${settings.batchSize} is more than the ${images} images to train on`)
    }
    return {
      ...{ subject, label: `${name} in ${rowPrecision(model, precision)}`, given, settings },
      summary: summarize(model, typesOf(settings)),
      peakActivationBytes: peakActivationBytes(model, typesOf(settings)),
      ...(!inferenceOnly && !isQuantized(model) && { trainingBytes: trainingBytes(model, settings) }),
    }
  } catch (error) {
    throw aboutSubject(name, error)
  }
}
