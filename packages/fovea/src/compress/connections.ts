/** @file The connections of a network, which unstructured pruning cuts: single weights, by the parameter that holds them. */
import type { HostArray } from '../graph/arrays.js'
import { type Graph, type Node, parameterNodes } from '../graph/graph.js'
import { isFloat } from '../graph/types.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'

/** The connections of one layer. */
export interface LayerConnections {
  /** The parameter that holds them: `layer1.0.conv1.weight`. */
  readonly name: string
  readonly weights: number
  /**
   * How many are not 0. Some integers are 0 by rounding alone, and nothing tells which: of a layer of integers all count, unless
   * more than an eighth are 0, which is when a file gains by leaving them out (formats/sparse.ts), and 0 is far more frequent than 1
   * and −1. Rounding makes as many of each where weights lie evenly, twice as many zeros where they crowd around 0; what pruning
   * takes by magnitude leaves a gap there.
   */
  readonly kept: number
}

/** The parameters that hold connections as floats: weights of convolutions and matrices. Biases and norms are few, and none. */
export const connectionNodes = (graph: Graph): Node[] =>
  parameterNodes(graph).filter(({ outputs: [{ shape, dtype }] }) => shape.length > 1 && isFloat(dtype))

/**
 * How many connections each layer has, and how many of them are not 0.
 * @throws SettingError for what is no model
 */
export function connectionsOf(model: Model): LayerConnections[] {
  const { graph, weights } = modelOf(model)
  return parameterNodes(graph).flatMap(({ name, outputs: [{ shape, dtype }] }) => {
    if (shape.length < 2 || !(isFloat(dtype) || dtype === 'int8')) return []
    const values = weights.get(name)!
    let zeros = 0
    let ones = 0
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0) zeros++
      else if (Math.abs(values[i]) === 1) ones++
    }
    const byRounding = dtype === 'int8' && (8 * zeros <= values.length || zeros <= 3 * (ones / 2))
    const kept = values.length - zeros
    return { name, weights: values.length, kept: byRounding ? values.length : kept }
  })
}

/** The values where the mask has 1, else 0. */
export function masked<A extends HostArray>(values: A, mask: ArrayLike<number>): A {
  const left = values.slice() as A
  for (let i = 0; i < left.length; i++) if (mask[i] === 0) left[i] = 0
  return left
}
