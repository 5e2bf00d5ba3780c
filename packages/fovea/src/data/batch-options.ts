/** @file The options of one pass over a data set, read once. */
import { SettingError } from '../errors.js'
import { group, type Rows, type Settled } from '../settings/group.js'
import { typedArray, whole } from '../settings/kinds.js'
import { augmentationSetting, parseAugmentation } from './augment/augmentation.js'
import { checkView, viewSetting } from './augment/crop-and-flip.js'
import type { BatchOptions, Dataset } from './dataset.js'
import { checkChannels, checkIndices, dataset as datasetSetting, normalization } from './dataset-setting.js'

const settings = {
  batchSize: whole('images per step', { from: 1 }),
  indices: typedArray('only these images', 'Uint32Array').optional(),
  normalization: normalization('of images scaled to [0, 1]'),
  training: group('shuffles and augments', {
    seed: whole('of all that is random'),
    epoch: whole('of the run', { from: 0 }),
    augmentation: augmentationSetting,
  } satisfies Rows<NonNullable<BatchOptions['training']>>).optional(),
  view: viewSetting.optional(),
  firstBatch: whole('where to begin', { from: 0 }).default(0),
} satisfies Rows<BatchOptions>

const batchOptions = group('one pass over a data set', settings)

/** `BatchOptions` with all that has a default. */
export type SettledBatchOptions = Settled<typeof settings>

/** @throws SettingError if the options do not fit the data set, or it is none */
export function parseBatchOptions(dataset: Dataset, options: BatchOptions): SettledBatchOptions {
  const { name, length, imageShape } = datasetSetting('labelled images').parse(dataset, 'dataset')
  const settled = batchOptions.parse(options, '')
  const { batchSize, normalization, training, view, indices } = settled
  if (indices) checkIndices(indices, dataset)
  const images = indices?.length ?? length
  if (training && batchSize > images) {
    throw new SettingError(
      'batchSize',
      `a batch of ${batchSize} is larger than the ${images} training images of data set '${name}'; use at most ${images}`,
    )
  }
  if (training && view) throw new SettingError('view', 'it is for evaluation; training has its augmentation')
  if (training) parseAugmentation(training.augmentation, imageShape, 'training.augmentation')
  if (view) checkView(view, imageShape, 'view')
  checkChannels(normalization, imageShape[2], 'normalization')
  return settled
}
