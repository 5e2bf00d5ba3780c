/** @file A model's weights alone, as a safetensors file that torchvision's or timm's model of the same name loads. */
import { InvalidArgumentError } from '../errors.js'
import type { Graph } from '../graph/graph.js'
import { formatShape, sameShape } from '../graph/types.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { createModel, modelNames } from '../models/registry.js'
import { batchNorm } from '../ops/batch-norm.js'
import { conv2d } from '../ops/conv2d.js'
import { group, type Rows } from '../settings/group.js'
import { choice } from '../settings/kinds.js'
import { few, typesOf } from './fit-weights.js'
import { encodeSafetensors } from './safetensors.js'
import { storedNumbers } from './stored-numbers.js'
import { type NamingName, namingNames, namingsOf, theirNames, type WeightNaming } from './weight-names.js'

/** How weights are written. */
export interface WeightsOptions {
  /** Whose names they get. Default: ours, which are torchvision's wherever torchvision has the model. */
  readonly names?: NamingName
}

const weightsOptions = group('how weights are written', {
  names: choice('whose names they get', namingNames).optional(),
} satisfies Rows<WeightsOptions>)

/**
 * The file as chunks. Labels and preprocessing are not in it.
 * @throws InvalidArgumentError where no model of that library takes these weights: it has none of the name, channels were pruned,
 *   layers are in integers, norms are computed otherwise
 */
export function encodeWeights(model: Model, options: WeightsOptions = {}): Uint8Array[] {
  modelOf(model)
  const { names } = weightsOptions.parse(options, '')
  const types = typesOf(model.graph)
  const theirs = names === undefined ? undefined : theirNames([...types.keys()], namingFor(model, names))
  const tensors = new Map(
    [...types].map(([name, type]) => [theirs?.get(name) ?? name, storedNumbers(name, model.weights.get(name)!, type)]),
  )
  // What PyTorch's libraries ask for.
  return encodeSafetensors({ tensors, metadata: { format: 'pt' } })
}

function namingFor({ name, graph, labels, preprocessing }: Model, library: NamingName): WeightNaming {
  const naming = modelNames.includes(name) ? namingsOf(name).find(({ name }) => name === library) : undefined
  if (naming === undefined) throw new InvalidArgumentError(`${library} has no ${name}: leave out its names`)
  const plain = createModel(name, { classes: labels.length, input: preprocessing.size })
  const [ours, published] = [typesOf(graph), typesOf(plain.graph)]
  const other = [...new Set([...ours.keys(), ...published.keys()])].filter(key => ours.has(key) !== published.has(key))
  if (other.length > 0)
    throw new InvalidArgumentError(`it is no longer ${library}'s ${name}: they differ in ${few(other)}`)
  for (const [key, { shape, dtype }] of ours) {
    const expected = published.get(key)!
    if (sameShape(shape, expected.shape) && dtype === expected.dtype) continue
    throw new InvalidArgumentError(
      `it is no longer ${library}'s ${name}: '${key}' is ${dtype} ${formatShape(shape)}, there it is ${expected.dtype} ${formatShape(expected.shape)}`,
    )
  }
  const strange = otherConvolution(graph, plain.graph)
  if (strange !== undefined) {
    throw new InvalidArgumentError(
      `it is not ${library}'s ${name}: '${strange}' has another stride or padding, as Keras's networks do`,
    )
  }
  const [epsilon, theirs] = [epsilonOf(graph), naming.epsilon ?? epsilonOf(plain.graph)]
  if (epsilon === theirs) return naming
  throw new InvalidArgumentError(
    `the norms of ${library}'s ${name} add ${theirs} to the variance, these add ${epsilon}`,
  )
}

/** The name of a convolution that reads other pixels than the published one of the same name. */
function otherConvolution(ours: Graph, published: Graph): string | undefined {
  const windows = ({ nodes }: Graph) =>
    new Map(
      nodes.flatMap(({ op, name, attrs }) =>
        op === conv2d.name ? [[name, `${attrs['stride']} ${attrs['padding']}`]] : [],
      ),
    )
  const theirs = windows(published)
  return [...windows(ours)].find(([name, window]) => theirs.get(name) !== window)?.[0]
}

/** Of the norms, which all have the same. */
const epsilonOf = (graph: Graph): unknown => graph.nodes.find(({ op }) => op === batchNorm.name)?.attrs['epsilon']
