/** @file What all architectures share: from a function of the image to a model with weights, labels and preprocessing. */
import type { Dataset, Normalization } from '../data/dataset.js'
import { normalizations } from '../data/normalization.js'
import { InvalidArgumentError } from '../errors.js'
import type { Value } from '../graph/graph.js'
import { initialWeights } from '../nn/initializers.js'
import { Scope } from '../nn/scope.js'
import { GraphBuilder } from '../ops/builder.js'
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

const defaultNormalization = ([height, , channels]: readonly number[]): Normalization => {
  if (channels !== 3) return { mean: Array(channels).fill(0.5), deviation: Array(channels).fill(0.5) }
  return height <= 64 ? normalizations.cifar10 : normalizations.imagenet
}

/**
 * @param defaults of the architecture
 * @param logits builds the network: from the image to the logits
 * @throws InvalidArgumentError for options that make no model; ShapeError where the image is too small for the network
 */
export function buildModel(
  name: string,
  options: ModelOptions,
  defaults: { readonly classes: number; readonly input: readonly [number, number, number] },
  logits: (scope: Scope, image: Value, classes: number) => Value,
): Model {
  const { input = defaults.input, labels, seed = 0 } = options
  const { classes = labels?.length ?? defaults.classes } = options
  if (!Number.isInteger(classes) || classes < 2 || classes > MAX_CLASSES) {
    throw new InvalidArgumentError(
      `classes must be a whole number from 2 to ${MAX_CLASSES.toLocaleString('en-US')}, got ${classes}`,
    )
  }
  if (labels !== undefined && labels.length !== classes) {
    throw new InvalidArgumentError(`${labels.length} labels for ${classes} classes`)
  }
  if (input.length !== 3 || !input.every(size => Number.isInteger(size) && size >= 1)) {
    throw new InvalidArgumentError(`input must be [height, width, channels], got [${input.join(', ')}]`)
  }
  const builder = new GraphBuilder()
  const image = builder.input('image', [1, ...input])
  builder.output('logits', logits(new Scope(builder), image, classes))
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
