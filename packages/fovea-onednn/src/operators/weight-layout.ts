/** @file In which layout each weight lives, with all that is combined with it element by element, so that little is reordered. */
import {
  consumers,
  geometryOf,
  hasDirectWeightGradient,
  hasTrait,
  isState,
  type Lowering,
  type Node,
  outputOf,
  type StoredLayout,
  sameShape,
  slotOwner,
  type Value,
} from 'fovea/engine'
import type { OnednnTarget } from '../onednn-target.js'
import { primitiveOf } from './convolution.js'
import { tapsAreRows } from './tile-weight-gradient.js'
import { gradientTiles, hasOwnWeightGradient } from './weight-gradient.js'
import { gainsByWinograd } from './winograd.js'

/** The layout in which the gradient of a weight is written; undefined for a dense one. */
function gradientLayout(own: OnednnTarget, to: Lowering, node: Node): StoredLayout | undefined {
  if (node.op !== 'conv2dWeightGradient' && node.op !== 'linearWeightGradient') return undefined
  if (hasDirectWeightGradient(node) || gainsByWinograd(node, own.capabilities)) return undefined
  const { groups } = geometryOf(node).attrs
  if (hasOwnWeightGradient(node, own.capabilities)) {
    return tapsAreRows(node) ? undefined : { ...gradientTiles(own, node), groups }
  }
  return { ...primitiveOf(own, to, node).weights, groups }
}

/** The states that a value is combined with element by element, directly or by what comes of it. */
function statesCombinedWith(start: Value, readers: ReadonlyMap<Node, readonly Node[]>): Set<Node> {
  const { shape } = start.type
  const states = new Set<Node>()
  const seen = new Set([start.node])
  for (const node of seen) {
    for (const reader of readers.get(node) ?? []) {
      if (!hasTrait(reader, 'elementwise') || !sameShape(reader.outputs[0].shape, shape)) continue
      seen.add(reader)
      for (const { node: other, type } of reader.inputs) {
        if (isState(other) && sameShape(type.shape, shape)) states.add(other)
      }
    }
  }
  return states
}

/**
 * Chooses for each state: the layout of the gradient with which it is combined, so that updates, averages, sums over parts of
 * a batch need no reorder; else that of the forward primitive.
 */
export function chooseWeightLayouts(own: OnednnTarget, to: Lowering): void {
  const { nodes, updates } = to.graph
  const readers = consumers(to.graph)
  const choose = (state: Node, layout: StoredLayout): void => {
    // Of another type than the update's it does not train, and is reordered for whoever reads it.
    if (state.outputs[0].dtype === 'float32') to.storage.chooseStateLayout(state.name, layout)
  }
  for (const node of nodes) {
    const layout = gradientLayout(own, to, node)
    if (layout) for (const state of statesCombinedWith(outputOf(node), readers)) choose(state, layout)
  }
  for (const node of nodes) {
    if (node.op !== 'conv2d' && node.op !== 'linear') continue
    const weight = node.inputs[1].node
    const trained = nodes.some(other => other.op.endsWith('WeightGradient') && updates.has(weight.name))
    // What is transformed for Winograd's algorithm lies dense.
    if (!isState(weight) || trained || gainsByWinograd(node, own.capabilities)) continue
    choose(weight, { ...primitiveOf(own, to, node).weights, groups: geometryOf(node).attrs.groups })
  }
  // A slot that nothing above reached (`NAME:average` of a dense weight's) lies as its weight does.
  for (const slot of nodes) {
    const owner = slot.op === 'buffer' ? slotOwner(slot.name) : undefined
    const layout = owner === undefined ? undefined : to.storage.stateLayout(owner)
    if (layout) choose(slot, layout)
  }
}
