/**
 * @file Cross-layer equalization (Nagel et al. 2019, arXiv 1906.04721, section 4.1): between two layers, a channel may be made
 * smaller on its way out and larger on its way in. The model computes the same, and no channel needs much finer steps than
 * the others with which it shares a scale.
 */
import type { HostArray } from '../graph/arrays.js'
import type { Graph, Node } from '../graph/graph.js'
import type { Model, Weights } from '../models/model.js'
import { largestSize } from '../ops/quantization.js'
import { soleReaderIn } from '../passes/readers.js'
import { integerLayers, parametersOf, weightOf } from './integer-layers.js'

/** More change nothing that 8 bits could tell apart: of a chain of layers, each pair disturbs the one before. */
const ROUNDS = 20

/** @param model whose norms are folded. Pairs of layers with nothing between them, or a relu, are made even */
export function equalizeLayers(model: Model): Model {
  const pairs = pairsOf(model.graph)
  const weights: Weights = new Map(model.weights)
  for (const { name } of pairs.flat().flatMap(parametersOf)) weights.set(name, weights.get(name)!.slice())
  for (let round = 0; round < ROUNDS; round++) for (const [from, to] of pairs) equalize(from, to, weights)
  return { ...model, weights }
}

/** A layer, and the only one that reads it. What is positive stays positive under a relu, at any scale. */
function pairsOf(graph: Graph): [Node, Node][] {
  const layers = new Set(integerLayers(graph))
  const soleReader = soleReaderIn(graph)
  return [...layers].flatMap((from): [Node, Node][] => {
    const { inputs, attrs } = from
    const to = soleReader(from)
    const isScalable = inputs.length < 4 && [undefined, 'relu'].includes(attrs['activation'] as string | undefined)
    return isScalable && to !== undefined && layers.has(to) && to.inputs[0].node === from ? [[from, to]] : []
  })
}

function equalize(from: Node, to: Node, weights: Weights): void {
  const [out, into] = [outgoing(from, weights), incoming(to, weights)]
  const bias = from.inputs[2] && weights.get(from.inputs[2].node.name)!
  for (let c = 0; c < out.length; c++) {
    // A channel of next to no weights is as large as its bias.
    const a = Math.max(largestSize(out[c]), Math.abs(bias?.[c] ?? 0))
    const b = into[c].reduce((most, part) => Math.max(most, largestSize(part)), 0)
    if (a === 0 || b === 0) continue
    const factor = Math.sqrt(a / b)
    scale(out[c], 1 / factor)
    if (bias) bias[c] /= factor
    for (const part of into[c]) scale(part, factor)
  }
}

/** The weights that make each output channel. */
function outgoing(layer: Node, weights: Weights): HostArray[] {
  const { name, outputs } = weightOf(layer)
  const values = weights.get(name)!
  const [channels] = outputs[0].shape
  const size = values.length / channels
  return Array.from({ length: channels }, (_, c) => values.subarray(c * size, (c + 1) * size))
}

/** The weights that read each input channel: a window of every output of its group. */
function incoming(layer: Node, weights: Weights): HostArray[][] {
  const { groups = 1 } = layer.attrs as { readonly groups?: number }
  const [outputs, perGroup, ...window] = weightOf(layer).outputs[0].shape
  const size = window.reduce((a, b) => a * b, 1)
  const values = weights.get(weightOf(layer).name)!
  return Array.from({ length: groups * perGroup }, (_, c) => {
    const group = Math.floor(c / perGroup)
    return Array.from({ length: outputs / groups }, (__, i) => {
      const at = ((group * outputs) / groups + i) * perGroup + (c % perGroup)
      return values.subarray(at * size, (at + 1) * size)
    })
  })
}

function scale(values: HostArray, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] *= factor
}
