/**
 * @file The values with which parameters and buffers start. Each draws from a stream of its own name, so that adding a
 * layer changes no other layer's start.
 */
import { type Graph, stateNodes } from '../graph/graph.js'
import { elements, type Shape } from '../graph/types.js'
import type { Weights } from '../models/model.js'
import type { Initializer } from '../ops/builder.js'
import { normalAt, randomAt, randomKey, streamOf } from '../random.js'

/** Connections into and out of one unit, as PyTorch counts them: channels times the window's pixels. */
function fan(shape: Shape, mode: 'fanIn' | 'fanOut'): number {
  const window = elements(shape.slice(2))
  return (mode === 'fanIn' ? shape[1] : shape[0]) * window
}

/**
 * The start of one tensor. `normal` is He et al. 2015 (arXiv 1502.01852), section 2.2: deviation gain/√fan, gain √2 for
 * ReLU; `uniform` is within ±bound.
 */
export function initialValues(shape: Shape, initializer: Initializer, key: number): Float32Array {
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
  }
}

/** The values of all parameters and buffers of a graph at the start; the same seed gives the same bits. */
export function initialWeights(graph: Graph, seed: number): Weights {
  return new Map(
    stateNodes(graph).map(node => {
      const initializer = node.attrs['initializer'] as Initializer
      const key = randomKey(seed, streamOf(node.name))
      return [node.name, initialValues(node.outputs[0].shape, initializer, key)]
    }),
  )
}
