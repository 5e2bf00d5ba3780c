/** @file A model's graph for inference: what acts only in training (dropout, stochastic depth) vanishes. */
import type { Graph } from '../graph/graph.js'
import { hasTrait } from '../ops/index.js'
import { rewrite } from './rewrite.js'

export const inferenceMode = (graph: Graph): Graph =>
  rewrite(graph, (node, { mapped }) => (hasTrait(node, 'random') ? [mapped(node.inputs[0])] : undefined))
