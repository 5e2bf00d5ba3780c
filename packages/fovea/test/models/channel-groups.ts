/**
 * @file Which channels of a network are one, by union-find over what its operators say of their axes; and the network
 * without some of them. No operator is named.
 */
import { type Graph, isLeaf, isState, type Node, type Value } from '../../src/graph/graph.js'
import type { Shape } from '../../src/graph/types.js'
import type { Weights } from '../../src/models/model.js'
import { resizedAttributes } from '../../src/ops/axes.js'
import type { Initializer } from '../../src/ops/builder.js'
import { opDefinition } from '../../src/ops/index.js'
import { denseStrides } from '../../src/ops/strided.js'
import { rewrite } from '../../src/passes/rewrite.js'

export class ChannelGroups {
  /** Of each axis of each value, the number of its first index; each index of each axis has a number. */
  readonly #first = new Map<string, number>()
  readonly #parents: number[] = []
  /** Groups that must stay, by their root. */
  readonly #fixed = new Set<number>()

  constructor(readonly graph: Graph) {
    for (const node of graph.nodes)
      for (const [index, { shape }] of node.outputs.entries()) this.#number(node, index, shape)
    const keepAll = (value: Value) => value.type.shape.forEach((_, axis) => this.#keep(value, axis))
    for (const value of graph.outputs.values()) keepAll(value)
    for (const node of graph.nodes) {
      const outputs = node.outputs.map((type, index) => ({ node, index, type }))
      if (node.op === 'input') outputs.forEach(keepAll)
      if (isLeaf(node)) continue
      const linked = new Set<string>()
      for (const link of opDefinition(node.op).axes(
        node.inputs.map(({ type }) => type),
        node.outputs,
        node.attrs,
      )) {
        const channels = new Map<number, number>()
        for (const { tensor, index, axis, channels: channelOf } of link) {
          linked.add(`${tensor} ${index} ${axis}`)
          const first = this.#firstOf((tensor === 'input' ? node.inputs : outputs)[index], axis)
          channelOf.forEach((channel, i) => {
            if (channel < 0) return
            if (channels.has(channel)) this.#join(first + i, channels.get(channel)!)
            else channels.set(channel, first + i)
          })
        }
      }
      const keepUnlinked = (tensor: string) => (value: Value, index: number) =>
        value.type.shape.forEach((_, axis) => linked.has(`${tensor} ${index} ${axis}`) || this.#keep(value, axis))
      node.inputs.forEach(keepUnlinked('input'))
      outputs.forEach(keepUnlinked('output'))
    }
    for (const one of [...this.#fixed]) this.#fixed.add(this.root(one))
  }

  /** The group of an index of an axis. */
  of(value: Value, axis: number, index: number): number {
    return this.root(this.#firstOf(value, axis) + index)
  }

  /** The groups that may be left out, if not all of an axis are. */
  prunable(): number[] {
    const roots = new Set(this.#parents.map((_, i) => this.root(i)))
    return [...roots].filter(root => !this.#fixed.has(root))
  }

  root(one: number): number {
    let root = one
    while (this.#parents[root] !== root) root = this.#parents[root] = this.#parents[this.#parents[root]]
    return root
  }

  #number(node: Node, index: number, shape: Shape): void {
    shape.forEach((size, axis) => {
      const first = this.#parents.length
      this.#first.set(`${node.name} ${index} ${axis}`, first)
      for (let i = 0; i < size; i++) this.#parents.push(first + i)
    })
  }

  #firstOf({ node, index }: Value, axis: number): number {
    return this.#first.get(`${node.name} ${index} ${axis}`)!
  }

  #keep(value: Value, axis: number): void {
    for (let i = 0; i < value.type.shape[axis]; i++) this.#fixed.add(this.#firstOf(value, axis) + i)
  }

  #join(a: number, b: number): void {
    this.#parents[this.root(a)] = this.root(b)
  }
}

/** Of each axis of a value, the indices that are left. */
const keptOf = (groups: ChannelGroups, value: Value, out: ReadonlySet<number>): number[][] =>
  value.type.shape.map((size, axis) => [...Array(size).keys()].filter(i => !out.has(groups.of(value, axis, i))))

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

/** The graph without these groups, the weights that go with it, and those of the whole graph with zeros for what is gone. */
export function leaveOut(groups: ChannelGroups, weights: Weights, out: ReadonlySet<number>) {
  const left: Weights = new Map()
  const zeroed: Weights = new Map()
  const kept = (value: Value) => keptOf(groups, value, out)
  const graph = rewrite(groups.graph, (node, { builder, mapped }) => {
    const own = kept({ node, index: 0, type: node.outputs[0] })
    const shape = own.map(({ length }) => length)
    if (isState(node)) {
      const values = weights.get(node.name)!
      const places = placesOf(node.outputs[0].shape, own)
      left.set(
        node.name,
        Float32Array.from(places, place => values[place]),
      )
      const whole = new Float32Array(values.length)
      for (const place of places) whole[place] = values[place]
      zeroed.set(node.name, whole)
      const initializer = node.attrs['initializer'] as Initializer
      return [
        node.op === 'parameter'
          ? builder.parameter(node.name, shape, initializer)
          : builder.buffer(node.name, shape, initializer),
      ]
    }
    if (isLeaf(node)) return undefined
    const definition = opDefinition(node.op)
    const outputs = node.outputs.map((type, index) => kept({ node, index, type }))
    const attrs = resizedAttributes(definition, node.attrs, { inputs: node.inputs.map(kept), outputs })
    return builder.emitAll(definition, node.inputs.map(mapped), attrs, node.name)
  })
  return { graph, left, zeroed }
}
