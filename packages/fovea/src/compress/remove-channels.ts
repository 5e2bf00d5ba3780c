/** @file A network without some of its channels: a smaller graph, and the state that goes with it. */
import type { HostArray } from '../graph/arrays.js'
import { type Graph, isLeaf, isState, type Node, outputsOf, slotOwner, type Value } from '../graph/graph.js'
import { initializerOf } from '../graph/initializer.js'
import { elements, type Shape } from '../graph/types.js'
import type { Weights } from '../models/model.js'
import { resizedAttributes } from '../ops/axes.js'
import { opDefinition } from '../ops/index.js'
import { denseStrides } from '../ops/strided.js'
import { rewrite } from '../passes/rewrite.js'
import type { ChannelGroups } from './channel-groups.js'

/**
 * The graph without these groups of channels. All attributes and shapes are those of what is left.
 * @param out groups of `groups.sets`; not all of any set
 */
export function withoutChannels(groups: ChannelGroups, out: ReadonlySet<number>): Graph {
  const kept = (value: Value): number[][] => keptIndices(groups, value, out)
  return rewrite(groups.graph, (node, { builder, mapped }) => {
    if (node.op === 'input') return undefined
    const outputs = outputsOf(node).map(kept)
    const shape = outputs[0].map(({ length }) => length)
    const [{ dtype, shape: whole }] = node.outputs
    if (node.op === 'constant') {
      const values = node.attrs['value'] as number | readonly number[]
      const left = typeof values === 'number' ? values : Array.from(placesOf(whole, outputs[0]), place => values[place])
      return [builder.constant(left, shape, dtype)]
    }
    const initializer = initializerOf(node)
    if (node.op === 'parameter') return [builder.parameter(node.name, shape, initializer, dtype)]
    if (isLeaf(node)) return [builder.buffer(node.name, shape, initializer, dtype)]
    const definition = opDefinition(node.op)
    const attrs = resizedAttributes(definition, node.attrs, { inputs: node.inputs.map(kept), outputs })
    return builder.emitAll(definition, node.inputs.map(mapped), attrs, node.name)
  })
}

/**
 * What is left of a network's state: weights, running statistics, and slots of an optimizer, which have the shape of what
 * they belong to.
 * @param state by name; slots as `conv1.weight:velocity`
 * @returns the same names, in their order
 */
export function keptState(groups: ChannelGroups, state: Weights, out: ReadonlySet<number>): Weights {
  const nodes = new Map(groups.graph.nodes.filter(isState).map(node => [node.name, node]))
  const places = new Map<Node, Int32Array>()
  const placesIn = (node: Node): Int32Array => {
    const [value] = outputsOf(node)
    const found = places.get(node) ?? placesOf(value.type.shape, keptIndices(groups, value, out))
    places.set(node, found)
    return found
  }
  return new Map(
    [...state].map(([name, values]) => {
      const node = nodes.get(name) ?? nodes.get(slotOwner(name) ?? '')
      const isLike = node !== undefined && values.length === elements(node.outputs[0].shape)
      return [name, isLike ? at(placesIn(node), values) : values]
    }),
  )
}

/** The elements at these places. */
function at(places: Int32Array, values: HostArray): HostArray {
  const left = values.slice(0, places.length)
  for (let i = 0; i < left.length; i++) left[i] = values[places[i]]
  return left
}

/** Of each axis of a value, the indices that are left. */
const keptIndices = (groups: ChannelGroups, value: Value, out: ReadonlySet<number>): number[][] =>
  value.type.shape.map((size, axis) =>
    Array.from({ length: size }, (_, i) => i).filter(i => !out.has(groups.of(value, axis, i))),
  )

/** The places in a dense tensor of the elements at these indices of its axes. */
function placesOf(shape: Shape, kept: readonly (readonly number[])[]): Int32Array {
  let places = Int32Array.of(0)
  for (const [axis, stride] of denseStrides(shape).entries()) {
    const next = new Int32Array(places.length * kept[axis].length)
    let to = 0
    for (const place of places) for (const i of kept[axis]) next[to++] = place + i * stride
    places = next
  }
  return places
}
