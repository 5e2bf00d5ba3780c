/**
 * @file A model of the registry with weights from elsewhere: as many classes as their classifier has, and norms as the library
 * computes them that they are from.
 */

import type { Normalization } from '../data/dataset.js'
import { FormatError } from '../errors.js'
import { elements } from '../graph/types.js'
import { type ModelOptions, modelSettings } from '../models/build.js'
import type { Model } from '../models/model.js'
import { createModel } from '../models/registry.js'
import { headParameters } from '../models/replace-head.js'
import { checkArguments, group, type Rows } from '../settings/group.js'
import { callback, choice, text, typedArray } from '../settings/kinds.js'
import { fitWeights } from './fit-weights.js'
import { weightsOf } from './model-weights.js'
import { openWeights } from './weight-formats.js'
import type { NamingName, WeightNaming } from './weight-names.js'
import { type ReadBeside, type StoredTensor, storedElementBytes, type WeightSource } from './weight-source.js'

/** A model, and what was found out about its file. */
export interface ImportedModel {
  readonly model: Model
  /** `a PyTorch file`, `a safetensors file`, `2 files`. */
  readonly format: string
  /** Whose names the weights had. */
  readonly names: NamingName
  /** What was taken of several. */
  readonly notes: readonly string[]
  /** Where the model's normalization is from, if it was no option: from the file, from the library whose names these are, or `default`. */
  readonly normalization: 'given' | 'file' | 'library' | 'default'
}

/** What is not in the weights; the number of classes is. */
export interface ImportOptions extends Pick<ModelOptions, 'input' | 'labels' | 'normalization'> {
  /** Of images: [height, width, channels]. Default: as a Keras model's file says, else as the model has it. */
  readonly input?: readonly [number, number, number]
  /**
   * `same` for EfficientNets that came from TensorFlow by way of timm, under names that begin with `tf_`: they are padded as there, and their
   * norms have an ε of 0.001. Keras's own files need no such word. Default: as the names in the file have it.
   */
  readonly padding?: 'same'
  /** Reads the other files of weights in several files, by their plain names. */
  readonly beside?: ReadBeside
}

/** timm's BN_EPS_TF_DEFAULT. */
const TENSORFLOW_EPSILON = 1e-3

const importArguments = {
  name: text("the file's, for messages"),
  file: typedArray('all its bytes', 'Uint8Array'),
  model: text('which model'),
}

const importOptions = group('what is not in the weights', {
  input: modelSettings.input,
  labels: modelSettings.labels,
  normalization: modelSettings.normalization,
  padding: choice('as the weights were trained with', ['same']).optional(),
  beside: callback<ReadBeside>('reads the other files of weights in several files').optional(),
} satisfies Rows<ImportOptions>)

/**
 * The weights of a model of the registry from a file of PyTorch, Keras or safetensors, under the names that torchvision, timm,
 * keras.applications or the repository of the CIFAR networks gives them. Keras's networks are made as Keras makes them, with its padding,
 * strides and norms.
 * @param name the file's, for messages
 * @param model the registry's name: `resnet50`
 * @throws FormatError naming the file, and the tensors that are missing, too many or of another shape; InvalidArgumentError for
 *   an unknown model
 */
export function importWeights(
  name: string,
  file: Uint8Array,
  model: string,
  options: ImportOptions = {},
): ImportedModel {
  checkArguments(importArguments, { name, file, model })
  const { beside, ...given } = importOptions.parse(options, '')
  const source = openWeights(name, file, beside)
  const { labels, padding, input = source.input, ...rest } = given
  const tensorflow = padding && { padding, normEpsilon: TENSORFLOW_EPSILON }
  const shape = { ...rest, ...(input && { input }), ...tensorflow }
  const plain = createModel(model, shape)
  try {
    const { tensors, naming } = fitWeights(source.tensors, plain)
    const [classes] = tensors.get(headParameters(plain.graph)[0])!.shape
    if (labels !== undefined && labels.length !== classes) {
      throw new FormatError(`it tells ${classes} classes apart, not ${labels.length}`)
    }
    const theirs = { ...(naming.epsilon !== undefined && { normEpsilon: naming.epsilon }), ...naming.architecture }
    // What is asked for goes before what the names tell.
    const made = createModel(model, { ...theirs, ...shape, classes, ...(labels && { labels }) })
    const [from, normalization] = normalizationOf(naming, source, given.normalization)
    const weights = weightsOf(made.graph, from === 'library' ? withRedFirst(tensors, naming) : tensors)
    // Not all of `made`: its weights are drawn when they are asked for.
    const { name: architecture, graph, labels: classNames } = made
    const preprocessing = { ...made.preprocessing, ...normalization }
    const imported = { name: architecture, graph, weights, preprocessing, labels: classNames }
    const { format, notes } = source
    return { model: imported, format, names: naming.name, notes, normalization: from }
  } catch (error) {
    // A tensor that cannot be read has named the file.
    throw error instanceof FormatError && !error.message.startsWith(`'${name}' `)
      ? new FormatError(`'${name}' does not fit ${plain.name}: ${error.message}`)
      : error
  }
}

/** Who says how images are normalized, and how. What is given stands in the model already. */
function normalizationOf(
  { preprocessing }: WeightNaming,
  { normalization }: WeightSource,
  given: Normalization | undefined,
): readonly [ImportedModel['normalization'], Normalization?] {
  if (given !== undefined) return ['given']
  if (normalization !== undefined) return ['file', normalization]
  return preprocessing === undefined ? ['default'] : ['library', preprocessing.normalization]
}

/** The tensors of a network that reads blue, green, red, for images of red, green, blue. */
function withRedFirst(
  tensors: ReadonlyMap<string, StoredTensor>,
  { preprocessing }: WeightNaming,
): ReadonlyMap<string, StoredTensor> {
  const name = preprocessing!.blueFirst
  return new Map([...tensors].map(([key, tensor]) => [key, key === name ? reversedInputs(tensor) : tensor]))
}

/** A kernel [out, in, kh, kw] whose inputs come in the other order. */
function reversedInputs(tensor: StoredTensor): StoredTensor {
  const [outs, ins, ...window] = tensor.shape
  return {
    dtype: tensor.dtype,
    shape: tensor.shape,
    get bytes() {
      const { bytes } = tensor
      const reversed = new Uint8Array(bytes.length)
      const plane = elements(window) * storedElementBytes(tensor.dtype)
      for (let out = 0; out < outs; out++) {
        for (let i = 0; i < ins; i++) {
          const from = (out * ins + i) * plane
          reversed.set(bytes.subarray(from, from + plane), (out * ins + ins - 1 - i) * plane)
        }
      }
      return reversed
    },
  }
}
