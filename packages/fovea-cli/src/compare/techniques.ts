/** @file What was done to a model to make it smaller: read off the model itself, and off the one that it was made from. */
import { connectionsOf, createModel, FoveaError, type Model, modelNames, roundsAsIntegers, summarize } from 'fovea'
import { parameterNodes } from 'fovea/engine'
import { computesInIntegers } from './row-types.js'

/**
 * `channels` and `weights` were pruned; weights and activations are `int8`, or will be (`rounded as int8`, in training for it);
 * only weights take fewer bits.
 */
export type TechniqueName = 'channels' | 'weights' | 'int8' | 'rounded as int8' | `${WeightType} weights`

type WeightType = 'int8' | 'float16' | 'bfloat16'

export interface Technique {
  readonly name: TechniqueName
  /** The part that was pruned: of the multiply-adds with channels, or of the weights of convolutions and matrices. */
  readonly removed?: number
}

/** What a model has of its original. */
export interface Reduction {
  readonly techniques: readonly Technique[]
  /** Parameters that are there, and not 0 among the weights of convolutions and matrices. */
  readonly kept: number
  /** Of the original's: with `kept`, all that it had. */
  readonly removed: number
  /** Of `removed`, those that nothing pruned: norms that were folded into the layers before them, less the biases that came of it. */
  readonly folded: number
}

/** Weights may be 0 by chance. */
const LEAST_PART = 0.01

export function reductionOf(model: Model, original: Model): Reduction {
  const [now, before] = [model, original].map(one => summarize(one))
  const connections = connectionsOf(model)
  const weights = connections.reduce((sum, layer) => sum + layer.weights, 0)
  const zeros = connections.reduce((sum, layer) => sum + layer.weights - layer.kept, 0)
  const channels = 1 - now.multiplyAdds / before.multiplyAdds
  const kept = now.parameters - zeros
  return {
    techniques: [
      ...(channels > 0 ? [{ name: 'channels' as const, removed: channels }] : []),
      ...(zeros >= LEAST_PART * weights ? [{ name: 'weights' as const, removed: zeros / weights }] : []),
      ...quantization(model).map(name => ({ name })),
    ],
    ...{ kept, removed: before.parameters - kept, folded: foldedParameters(model, original) },
  }
}

function foldedParameters(model: Model, original: Model): number {
  const nodes = new Map(model.graph.nodes.map(node => [node.name, node]))
  const had = new Set(original.graph.nodes.map(({ name }) => name))
  const taken = original.graph.nodes.flatMap(({ op, name, inputs: [x, ...rest] }) => {
    if (op !== 'batchNorm' || nodes.get(name)?.op === op) return []
    // A pruned layer has fewer channels than the original's norm.
    const weight = nodes.get(x.node.inputs[1]?.node.name)
    const [channels] = weight?.op === 'parameter' ? weight.outputs[0].shape : [0]
    return rest.filter(({ node }) => node.op === 'parameter').map(() => channels)
  })
  const biases = parameterNodes(model.graph).filter(({ name }) => !had.has(name))
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
  return taken.length === 0 ? 0 : sum(taken) - sum(biases.map(({ outputs: [{ shape }] }) => shape[0]))
}

function quantization(model: Model): TechniqueName[] {
  if (roundsAsIntegers(model)) return ['rounded as int8']
  const { graph } = model
  if (computesInIntegers(model)) return ['int8']
  const types = new Set(parameterNodes(graph).map(({ outputs: [{ dtype }] }) => dtype))
  return (['int8', 'float16', 'bfloat16'] as const)
    .filter(type => types.has(type))
    .map((type): TechniqueName => `${type} weights`)
}

/** `channels −40 %, int8` */
export const techniqueText = (techniques: readonly Technique[]): string =>
  techniques
    .map(({ name, removed }) => (removed === undefined ? name : `${name} −${Math.round(100 * removed)} %`))
    .join(', ')

/**
 * The model that another was made from, as far as can be told: the architecture of its name, for the same images and classes; of
 * a name that is no architecture's, the first of that name. A smaller one is none.
 * @param others all that are compared
 */
export function originalOf(model: Model, others: readonly Model[]): Model {
  const original = architectureOf(model) ?? others.find(({ name }) => name === model.name) ?? model
  const [parameters, own] = [original, model].map(one => summarize(one).parameters)
  return parameters < own ? model : original
}

function architectureOf({ name, labels, preprocessing: { size } }: Model): Model | undefined {
  if (!modelNames.includes(name)) return undefined
  try {
    return createModel(name, { labels, input: size })
  } catch (error) {
    // A file may call any graph by that name: then there is no original.
    if (error instanceof FoveaError) return undefined
    throw error
  }
}
