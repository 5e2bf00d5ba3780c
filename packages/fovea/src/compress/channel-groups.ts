/**
 * @file Which channels of a network are one: by union-find over what its operators say of their axes, through residual
 * additions, padded shortcuts, depthwise convolutions, squeeze-and-excitation and flattened images. Names no operator and
 * no model (the dependency groups of DepGraph, Fang et al. 2023, section 3, from the graph itself).
 */
import { type Graph, isLeaf, type Node, outputsOf, type Value } from '../graph/graph.js'
import { opDefinition } from '../ops/index.js'

/**
 * Channels that lie in the same axes of the same tensors, and can be weighed against each other: the insides of a block,
 * the stream of a stage.
 */
export interface ChannelSet {
  /** The parameter that makes these channels: `layer1.0.conv1.weight`. */
  readonly name: string
  /** Groups, see `ChannelGroups.of`. */
  readonly channels: readonly number[]
}

/** The channels of a graph. Each index of each axis of each value belongs to one group, known by a number. */
export class ChannelGroups {
  /** Channels that may be left out, if not all of a set are. */
  readonly sets: readonly ChannelSet[]
  /** Of each axis of each value, the number of its first index. */
  readonly #first = new Map<Node, number[][]>()
  readonly #parents: number[] = []
  /** Groups that must stay, by any of their numbers. */
  readonly #fixed = new Set<number>()

  constructor(readonly graph: Graph) {
    for (const node of graph.nodes) this.#number(node)
    for (const value of graph.outputs.values()) this.#keepAll(value)
    for (const node of graph.nodes) {
      if (node.op === 'input') outputsOf(node).forEach(value => this.#keepAll(value))
      else if (!isLeaf(node)) this.#link(node)
    }
    for (const one of [...this.#fixed]) this.#fixed.add(this.#root(one))
    this.sets = this.#findSets()
  }

  /** The group of an index of an axis of a value. */
  of({ node, index: output }: Value, axis: number, index: number): number {
    return this.#root(this.#first.get(node)![output][axis] + index)
  }

  /** Whether a group is in one of the sets. */
  isRemovable(group: number): boolean {
    return !this.#fixed.has(group)
  }

  #number(node: Node): void {
    const first = node.outputs.map(({ shape }) =>
      shape.map(size => {
        const start = this.#parents.length
        for (let i = 0; i < size; i++) this.#parents.push(start + i)
        return start
      }),
    )
    this.#first.set(node, first)
  }

  #link(node: Node): void {
    const outputs = outputsOf(node)
    const types = node.inputs.map(({ type }) => type)
    const linked = { input: new Map<number, Set<number>>(), output: new Map<number, Set<number>>() }
    for (const link of opDefinition(node.op).axes(types, node.outputs, node.attrs)) {
      const byChannel = new Map<number, number>()
      for (const { tensor, index, axis, channels } of link) {
        const value = (tensor === 'input' ? node.inputs : outputs)[index]
        linked[tensor].set(index, (linked[tensor].get(index) ?? new Set()).add(axis))
        channels.forEach((channel, i) => {
          if (channel < 0) return
          const one = this.of(value, axis, i)
          const other = byChannel.get(channel)
          if (other === undefined) byChannel.set(channel, one)
          else this.#parents[one] = this.#root(other)
        })
      }
    }
    const keepUnlinked = (tensor: 'input' | 'output') => (value: Value, index: number) =>
      value.type.shape.forEach((_, axis) => {
        if (!linked[tensor].get(index)?.has(axis)) this.#keep(value, axis)
      })
    node.inputs.forEach(keepUnlinked('input'))
    outputs.forEach(keepUnlinked('output'))
  }

  /** Groups that are in just the same axes make a set, named by the first parameter in which they are. */
  #findSets(): ChannelSet[] {
    const places = new Map<number, string[]>()
    const names = new Map<number, string>()
    for (const [at, node] of this.graph.nodes.entries()) {
      for (const value of outputsOf(node)) {
        value.type.shape.forEach((size, axis) => {
          for (const one of new Set(Array.from({ length: size }, (_, i) => this.of(value, axis, i)))) {
            if (this.#fixed.has(one)) continue
            places.set(one, [...(places.get(one) ?? []), `${at} ${value.index} ${axis}`])
            // A convolution that makes channels has them on its first axis; who reads them has them on another.
            if (node.op === 'parameter' && axis === 0 && !names.has(one)) names.set(one, node.name)
          }
        })
      }
    }
    const sets = new Map<string, { name: string; channels: number[] }>()
    for (const [one, where] of places) {
      const key = where.join()
      const set = sets.get(key) ?? {
        name: names.get(one) ?? this.graph.nodes[Number.parseInt(key, 10)].name,
        channels: [],
      }
      set.channels.push(one)
      sets.set(key, set)
    }
    return [...sets.values()]
  }

  #keepAll(value: Value): void {
    value.type.shape.forEach((_, axis) => this.#keep(value, axis))
  }

  #keep(value: Value, axis: number): void {
    for (let i = 0; i < value.type.shape[axis]; i++) this.#fixed.add(this.of(value, axis, i))
  }

  #root(one: number): number {
    let root = one
    while (this.#parents[root] !== root) root = this.#parents[root] = this.#parents[this.#parents[root]]
    return root
  }
}
