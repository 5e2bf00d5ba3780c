/**
 * @file What training holds of a model's parameters, from step to step or anew in each: under mixed precision a layer's
 * weights are there twice, as the float32 masters that the optimizer updates and as the 16-bit copies that are computed
 * with. Knows nothing of activations and gradients: those are the engine's plan.
 */
import { isHalf } from '../graph/float16.js'
import { type Node, parameterNodes, stateNodes } from '../graph/graph.js'
import { tensorBytes } from '../graph/types.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { type TrainingGraphOptions, trainingGraph } from './training-graph.js'

/** Bytes. */
export interface TrainingBytes {
  readonly total: number
  /** The parameters in float32, as the optimizer updates them and a saved model has them. */
  readonly masters: number
  /** Copies in 16 bits, made of the masters in each step, for the layers that compute in 16 bits. */
  readonly copies: number
  /** The optimizer's slots in float32 (momentum, Adam's moments), averages of the weights, sums over parts of a batch. */
  readonly slots: number
}

/** @throws SettingError for what is no model; as trainingGraph */
export function trainingBytes(model: Model, settings: TrainingGraphOptions): TrainingBytes {
  const { graph } = modelOf(model)
  const step = trainingGraph(graph, settings)
  const own = new Set(stateNodes(graph).map(({ name }) => name))
  const masters = bytesOf(parameterNodes(graph))
  const copies = bytesOf(step.nodes.filter(isCopy))
  const slots = bytesOf(stateNodes(step).filter(({ name }) => !own.has(name)))
  return { total: masters + copies + slots, masters, copies, slots }
}

const isCopy = ({ op, inputs, outputs }: Node): boolean =>
  op === 'cast' && inputs[0].node.op === 'parameter' && isHalf(outputs[0].dtype)

const bytesOf = (nodes: readonly Node[]): number =>
  nodes.reduce((total, { outputs }) => total + tensorBytes(outputs[0]), 0)
