/** @file What a recipe is: all that a run is made of but model, data and seed, with the reason of each number beside it. */
import type { Augmentation } from '../../data/dataset.js'
import type { Model } from '../../models/model.js'
import type { NormStatistics } from '../../passes/training-mode.js'
import type { EarlyStopping } from '../early-stopping.js'
import type { ParameterGroup } from '../features/parameter-groups.js'
import type { WeightAverage } from '../features/weight-average.js'
import type { ClassWeights } from '../labels.js'
import type { LabelForm } from '../loss.js'
import type { OptimizerOptions } from '../optimizers/index.js'
import type { ScheduleOptions } from '../schedules/index.js'
import type { TestTimeAugmentation } from '../test-time-augmentation.js'

export interface Recipe {
  /** One line for people. */
  readonly about: string
  /** Whether it is for a model that is trained already. */
  readonly pretrained?: true
  readonly batchSize: number
  /** Steps of the whole run where the recipe says how long it is. */
  readonly steps?: number
  readonly optimizer: OptimizerOptions
  /** At `referenceBatch` images a step; where that is given, smaller batches take proportionally smaller steps. */
  readonly schedule: ScheduleOptions
  readonly referenceBatch?: number
  /** Parameters of a model that train otherwise. */
  readonly groups?: (model: Model) => readonly ParameterGroup[]
  /** Of the weights, over the steps. */
  readonly average?: WeightAverage
  /** The longest norm of all gradients together. Default: any. */
  readonly clipNorm?: number
  /** Of which images norms take their statistics. Default `batch`. */
  readonly normStatistics?: NormStatistics
  /** How labels are fed: class indices, or rows with a 1 at the class. */
  readonly labels: LabelForm
  readonly labelSmoothing: number
  /** How much an image of each class counts. Default: all alike. */
  readonly classWeights?: ClassWeights
  readonly earlyStopping?: EarlyStopping
  /** For images of `size` pixels. */
  readonly augmentation: (size: number) => Augmentation
  /** Views of each held-out image in the last measurement, beside the one without. Default `none`. */
  readonly testTimeAugmentation?: TestTimeAugmentation
}
