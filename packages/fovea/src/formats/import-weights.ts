/**
 * @file A model of the registry with weights from elsewhere: as many classes as their classifier has, and norms as the library
 * computes them that they are from.
 */
import { FormatError } from '../errors.js'
import type { Graph } from '../graph/graph.js'
import { type ModelOptions, modelSettings } from '../models/build.js'
import type { Model } from '../models/model.js'
import { createModel } from '../models/registry.js'
import { headParameters } from '../models/replace-head.js'
import { batchNorm } from '../ops/batch-norm.js'
import { opDefinition } from '../ops/index.js'
import { rewrite } from '../passes/rewrite.js'
import { checkArguments, group, type Rows } from '../settings/group.js'
import { callback, text, typedArray } from '../settings/kinds.js'
import { fitWeights } from './fit-weights.js'
import { weightsOf } from './model-weights.js'
import { openWeights } from './weight-formats.js'
import type { NamingName } from './weight-names.js'
import type { ReadBeside } from './weight-source.js'

/** A model, and what was found out about its file. */
export interface ImportedModel {
  readonly model: Model
  /** `a PyTorch file`, `a safetensors file`, `2 files`. */
  readonly format: string
  /** Whose names the weights had. */
  readonly names: NamingName
  /** What was taken of several. */
  readonly notes: readonly string[]
}

/** What is not in the weights; the number of classes is. */
export interface ImportOptions extends Pick<ModelOptions, 'input' | 'labels' | 'normalization'> {
  /** Reads the other files of weights in several files, by their plain names. */
  readonly beside?: ReadBeside
}

const importArguments = {
  name: text("the file's, for messages"),
  file: typedArray('all its bytes', 'Uint8Array'),
  model: text('which model'),
}

const importOptions = group('what is not in the weights', {
  input: modelSettings.input,
  labels: modelSettings.labels,
  normalization: modelSettings.normalization,
  beside: callback<ReadBeside>('reads the other files of weights in several files').optional(),
} satisfies Rows<ImportOptions>)

/**
 * The weights of a model of the registry from a file of PyTorch or safetensors, under the names that torchvision, timm or the
 * repository of the CIFAR networks gives them.
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
  const { labels, ...shape } = given
  const plain = createModel(model, shape)
  const { format, tensors: inFile, notes } = openWeights(name, file, beside)
  try {
    const { tensors, naming } = fitWeights(inFile, plain)
    const [classes] = tensors.get(headParameters(plain.graph)[0])!.shape
    if (labels !== undefined && labels.length !== classes) {
      throw new FormatError(`it tells ${classes} classes apart, not ${labels.length}`)
    }
    const made = createModel(model, { ...shape, classes, ...(labels && { labels }) })
    const graph = naming.epsilon === undefined ? made.graph : withEpsilon(made.graph, naming.epsilon)
    return { model: { ...made, graph, weights: weightsOf(graph, tensors) }, format, names: naming.name, notes }
  } catch (error) {
    throw error instanceof FormatError
      ? new FormatError(`'${name}' does not fit ${plain.name}: ${error.message}`)
      : error
  }
}

const withEpsilon = (graph: Graph, epsilon: number): Graph =>
  rewrite(graph, ({ op, name, inputs, attrs }, { builder, mapped }) =>
    op === batchNorm.name
      ? builder.emitAll(opDefinition(op), inputs.map(mapped), { ...attrs, epsilon }, name)
      : undefined,
  )
