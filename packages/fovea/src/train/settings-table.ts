/**
 * @file The table of a run's settings: what each is called, what it is, which values it takes and what holds where it is
 * not given. Options are read by it, recipes and runs that go on are checked by it, `--set` finds its way by it.
 */
import { augmentationSetting } from '../data/augment/augmentation.js'
import { SettingError } from '../errors.js'
import { precisionSettings } from '../passes/mixed-precision.js'
import { normStatistics } from '../passes/training-mode.js'
import { group, type Rows, type Settled } from '../settings/group.js'
import { choice, list, number, whole } from '../settings/kinds.js'
import { earlyStoppingSetting } from './early-stopping.js'
import { distillationSetting } from './features/distillation.js'
import { groupSetting } from './features/parameter-groups.js'
import { pruningSetting } from './features/pruning.js'
import { averageSetting } from './features/weight-average.js'
import { classWeightsSetting } from './labels.js'
import { lossSettings } from './loss.js'
import { optimizerSetting } from './optimizers/index.js'
import { scheduleSetting } from './schedules/index.js'
import type { TrainingSettings } from './settings.js'
import { testTimeAugmentations } from './test-time-augmentation.js'

/** Of the graph of one step. */
export const trainingStepSettings = {
  batchSize: whole('images per step', { from: 1 }),
  optimizer: optimizerSetting,
  groups: list('parameters that train otherwise, or not', 'parameter groups', groupSetting).default([]),
  average: averageSetting.optional(),
  pruning: pruningSetting.optional(),
  distillation: distillationSetting.optional(),
  ...lossSettings,
  accumulate: whole('parts of a batch that run one after another, for less memory', { from: 1 }).default(1),
  clipNorm: number('the largest norm of all gradients together; larger ones are scaled down', { above: 0 }).optional(),
  normStatistics: choice(
    'which statistics norms use: those of the batch, or the running ones, which then do not change',
    normStatistics,
  ).default('batch'),
  ...precisionSettings,
}

/** Of a whole run. */
export const trainingSettings = {
  ...trainingStepSettings,
  schedule: scheduleSetting,
  classWeights: classWeightsSetting.optional(),
  earlyStopping: earlyStoppingSetting.optional(),
  augmentation: augmentationSetting.default({}),
  seed: whole('of the order of images, their augmentation, dropout').default(0),
  testTimeAugmentation: choice(
    'average over these views of each held-out image, in a second measurement at the end',
    testTimeAugmentations,
  ).default('none'),
} satisfies Rows<TrainingSettings>

/** All that decides the bits of a run, beside its model, data and epochs: nothing is left to a default. */
export type ResolvedSettings = Settled<typeof trainingSettings>

/** The settings of a run, complete. */
export const runSettings = group('the settings of a run', trainingSettings).refine(({ pruning, earlyStopping }) => {
  if (pruning?.type !== 'gradual' || earlyStopping === undefined) return
  throw new SettingError('earlyStopping', 'a run that prunes gradually has its last weights at its end: leave it out')
})
