/**
 * @file The values with which parameters and buffers start. Each draws from a stream of its own name, so that adding a
 * layer changes no other layer's start.
 */
import type { Dataset, Normalization } from '../data/dataset.js'
import { dataset as datasetSetting, normalization } from '../data/dataset-setting.js'
import { type HostArray, zeroArray } from '../graph/arrays.js'
import { isHalf, roundArrayToHalf } from '../graph/float16.js'
import { type Graph, stateNodes } from '../graph/graph.js'
import { graphOf } from '../graph/graph-setting.js'
import { type Initializer, initializerOf } from '../graph/initializer.js'
import { elements, type Shape, type TensorType } from '../graph/types.js'
import type { Weights } from '../models/model.js'
import { normalAt, randomAt, randomKey, streamOf } from '../random.js'
import { checkArguments, group, type Rows } from '../settings/group.js'
import { whole } from '../settings/kinds.js'
import { independentPatches, type PatchCovariance, patchCovariance, whiteningFilters } from './whitening.js'

/** Connections into and out of one unit, as PyTorch counts them: channels times the window's pixels. */
function fan(shape: Shape, mode: 'fanIn' | 'fanOut'): number {
  const window = elements(shape.slice(2))
  return (mode === 'fanIn' ? shape[1] : shape[0]) * window
}

/**
 * The start of one tensor. `normal` is He et al. 2015 (arXiv 1502.01852), section 2.2: deviation gain/√fan, gain √2 for
 * ReLU; `uniform` is within ±bound.
 * @param covariance of patches of the images, for `whitening`. Default: their values know nothing of each other
 */
export function initialValues(
  shape: Shape,
  initializer: Initializer,
  key: number,
  covariance?: PatchCovariance,
): Float32Array {
  const values = new Float32Array(elements(shape))
  switch (initializer.type) {
    case 'zeros':
      return values
    case 'ones':
      return values.fill(1)
    case 'uniform':
      return values.map((_, i) => initializer.bound * (2 * randomAt(key, i) - 1))
    case 'normal': {
      const deviation = initializer.gain / Math.sqrt(fan(shape, initializer.mode))
      return values.map((_, i) => deviation * normalAt(key, i))
    }
    case 'dirac': {
      const [filters, channels, height, width] = shape
      const window = height * width
      const filter = channels * window
      const center = Math.floor(height / 2) * width + Math.floor(width / 2)
      values.set(initialValues(shape, { type: 'uniform', bound: initializer.bound }, key))
      values.fill(0, 0, Math.min(filters, channels) * filter)
      for (let c = 0; c < Math.min(filters, channels); c++) values[c * filter + c * window + center] = 1
      return values
    }
    case 'whitening':
      values.set(whiteningFilters(covariance ?? independentPatches(elements(shape.slice(1))), initializer.epsilon))
      return values
  }
}

/** Images whose statistics layers may start from, and how they are normalized. */
export interface StartingImages {
  readonly dataset: Dataset
  readonly normalization: Normalization
}

/** The same numbers in an array for such a tensor, rounded to its type. */
function inType(values: Float32Array, type: TensorType): HostArray {
  if (isHalf(type.dtype)) roundArrayToHalf(values, type.dtype)
  const array = zeroArray(type)
  if (array instanceof Float32Array) return values
  array.set(values)
  return array
}

const weightsArguments = {
  seed: whole('of the weights'),
  images: group('whose statistics layers start from', {
    dataset: datasetSetting('labelled images'),
    normalization: normalization('of images scaled to [0, 1]'),
  } satisfies Rows<StartingImages>).optional(),
}

/**
 * The values of all parameters and buffers of a graph at the start; the same seed gives the same bits.
 * @param images for layers that start from their statistics; without them, pixels count as independent
 * @throws SettingError for what is no graph, seed or images
 */
export function initialWeights(graph: Graph, seed: number, images?: StartingImages): Weights {
  checkArguments(weightsArguments, { seed, images })
  return new Map(
    stateNodes(graphOf(graph)).map(node => {
      const initializer = initializerOf(node)
      const { shape } = node.outputs[0]
      const covariance =
        initializer.type === 'whitening' && images
          ? patchCovariance(images.dataset, images.normalization, shape[2])
          : undefined
      const values = initialValues(shape, initializer, randomKey(seed, streamOf(node.name)), covariance)
      return [node.name, inType(values, node.outputs[0])]
    }),
  )
}
