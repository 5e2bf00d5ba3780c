/** @file What all architectures share: from a function of the image to a model with weights, labels and preprocessing. */
import type { Dataset, Normalization } from '../data/dataset.js'
import { checkChannels, checkNotEmpty, dataset, imageSize, normalization } from '../data/dataset-setting.js'
import { normalizations } from '../data/normalization.js'
import { SettingError, ShapeError } from '../errors.js'
import type { Value } from '../graph/graph.js'
import { initialWeights } from '../nn/initializers.js'
import { Scope } from '../nn/scope.js'
import { GraphBuilder } from '../ops/builder.js'
import { group, type Rows, type Settled } from '../settings/group.js'
import { list, number, text, whole } from '../settings/kinds.js'
import type { Model, Weights } from './model.js'

/** What can be chosen of any architecture. */
export interface ModelOptions {
  /** Number of classes. Default: the architecture's data set's (10 for CIFAR's networks, 1000 for ImageNet's). */
  readonly classes?: number
  /** [height, width, channels] of an image. Default: the architecture's. */
  readonly input?: readonly [number, number, number]
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number
  /** Class names. Default `0`, `1`, …. */
  readonly labels?: readonly string[]
  /** Means and deviations of the images scaled to [0, 1]. Default: CIFAR-10's up to 64 pixels, ImageNet's above. */
  readonly normalization?: Normalization
  /** Training images, for layers that start from their statistics (speednet's first). */
  readonly images?: Dataset
}

/** As many as a checkpoint may name. */
const MAX_CLASSES = 100_000

/** The table of `ModelOptions`. */
export const modelSettings = {
  classes: whole('how many it tells apart', { from: 2, to: MAX_CLASSES }).optional(),
  input: imageSize('of an image').optional(),
  seed: whole('of the initial weights').default(0),
  labels: list('class names', 'class names', text('a class')).optional(),
  normalization: normalization('means and deviations of images scaled to [0, 1]').optional(),
  images: dataset('training images').optional(),
} satisfies Rows<ModelOptions>

/** An option of architectures whose weights come with one ε or another. */
export const normEpsilon = number('ε of the batch-norms', { above: 0, below: 1 })

/** The options of an architecture that has none beside, as they were given. */
export const modelOptions = group('what can be chosen of any architecture', modelSettings)

const defaultNormalization = ([height, , channels]: readonly number[]): Normalization => {
  if (channels !== 3) return { mean: Array(channels).fill(0.5), deviation: Array(channels).fill(0.5) }
  return height <= 64 ? normalizations.cifar10 : normalizations.imagenet
}

/** What each option alone cannot tell. */
function checkTogether({
  input,
  classes,
  labels,
  normalization,
  images,
}: ModelOptions & Required<Pick<ModelOptions, 'input' | 'classes'>>): void {
  if (labels !== undefined && (labels.length !== classes || classes < 2)) {
    throw new SettingError(
      'labels',
      `expected a name for each of ${Math.max(2, classes)} classes, got ${labels.length}`,
    )
  }
  if (normalization !== undefined) checkChannels(normalization, input[2], 'normalization')
  if (images !== undefined) checkNotEmpty(images, 'images')
  if (images !== undefined && images.imageShape.join() !== input.join()) {
    throw new SettingError(
      'images',
      `the model takes images of ${input.join('×')}, these are of ${images.imageShape.join('×')}`,
    )
  }
}

/**
 * @param defaults of the architecture
 * @param logits builds the network: from the image to the logits
 * @throws InvalidArgumentError for options that make no model; ShapeError where the image is too small for the network
 */
export function buildModel(
  name: string,
  options: Settled<typeof modelSettings>,
  defaults: { readonly classes: number; readonly input: readonly [number, number, number] },
  logits: (scope: Scope, image: Value, classes: number) => Value,
): Model {
  const { input = defaults.input, labels, seed } = options
  const { classes = labels?.length ?? defaults.classes } = options
  checkTogether({ ...options, input, classes })
  const builder = new GraphBuilder()
  const image = builder.input('image', [1, ...input])
  try {
    builder.output('logits', logits(new Scope(builder), image, classes))
  } catch (error) {
    throw tooSmall(name, input, defaults.input, error)
  }
  const graph = builder.build()
  const normalization = options.normalization ?? defaultNormalization(input)
  const images = options.images && { dataset: options.images, normalization }
  let weights: Weights | undefined
  return {
    name,
    graph,
    // Made when first asked for: a summary of ResNet-152 needs none of its 60 million.
    get weights() {
      weights ??= initialWeights(graph, seed, images)
      return weights
    },
    preprocessing: { size: input, ...normalization },
    labels: labels ?? Array.from({ length: classes }, (_, i) => String(i)),
  }
}

/** The error of an image that some layer leaves nothing of; any other as it is. */
function tooSmall(name: string, [height, width]: readonly number[], own: readonly number[], error: unknown): unknown {
  if (!(error instanceof ShapeError) || (height >= own[0] && width >= own[1])) return error
  return new ShapeError(
    `images of ${height}×${width} are too small for ${name}, which is made for ${own[0]}×${own[1]}`,
    { cause: error },
  )
}
