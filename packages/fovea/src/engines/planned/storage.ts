/**
 * @file Where the values of a graph lie: which buffer holds which, in which layout and type, and who still reads it. Knows no
 * step that writes them.
 */
import { type Graph, isState, type Node, type Value } from '../../graph/graph.js'
import { type DType, type TensorType, tensorBytes } from '../../graph/types.js'
import { nextStates } from '../../passes/next-states.js'
import type { Buffer } from './steps.js'

/** Values lie dense (NHWC, or weights as PyTorch has them), or in one of the target's layouts, by number. */
export type Layout = number | 'dense'

/** How a value lies, and in how many bytes: a layout may be padded. */
export interface StoredLayout {
  readonly layout: Layout
  readonly bytes: number
  /** Of the convolution whose weights they are: a layout of grouped ones may have an axis more. */
  readonly groups: number
}

/** A value and how it lies in its buffer. */
export interface Stored extends Omit<StoredLayout, 'bytes'> {
  readonly buffer: Buffer
  readonly dtype: DType
}

export class Storage {
  readonly buffers: Buffer[] = []
  readonly #values = new Map<Node, (Stored | undefined)[]>()
  readonly #reads = new Map<Node, number[]>()
  readonly #states: ReadonlyMap<string, Node>
  readonly #stateLayouts = new Map<string, StoredLayout>()
  readonly #nextStates: ReturnType<typeof nextStates>
  /** Memory that no run changes: states that the graph does not update, and what is computed from them alone. */
  readonly #fixed = new Set<Buffer>()
  /** Nodes whose 16-bit result is stored in float32. */
  readonly #wide = new Set<Node>()

  constructor(readonly graph: Graph) {
    this.#states = new Map(graph.nodes.filter(isState).map(node => [node.name, node]))
    this.#nextStates = nextStates(graph)
    for (const node of graph.nodes) this.#reads.set(node, new Array<number>(node.outputs.length).fill(0))
    const read = ({ node, index }: Value) => this.#reads.get(node)![index]++
    for (const node of graph.nodes) for (const input of node.inputs) read(input)
    for (const value of graph.outputs.values()) read(value)
    for (const [name, value] of graph.updates) if (value.node.name !== name) read(value)
  }

  newBuffer(bytes: number, options: Partial<Omit<Buffer, 'bytes'>>): Buffer {
    const buffer = { bytes, state: false, perThread: false, zeroed: false, scratch: false, pendingReads: 0, ...options }
    this.buffers.push(buffer)
    return buffer
  }

  /** Decides, before lowering, in which layout a state lives; what is decided first holds. */
  chooseStateLayout(name: string, layout: StoredLayout): void {
    if (!this.#stateLayouts.has(name)) this.#stateLayouts.set(name, layout)
  }

  stateLayout(name: string): StoredLayout | undefined {
    return this.#stateLayouts.get(name)
  }

  /** Decides, before lowering, that the result of a node is stored in float32, as all who read it want it so. */
  storeWide(node: Node): void {
    this.#wide.add(node)
  }

  /** The type in which a value is stored. */
  storedType({ node, type }: Value): TensorType {
    return this.#wide.has(node) ? { ...type, dtype: 'float32' } : type
  }

  isOutput(node: Node): boolean {
    return [...this.graph.outputs.values()].some(value => value.node === node)
  }

  /** Makes the buffer of a leaf. */
  leaf(node: Node): void {
    const [type] = node.outputs
    const state = isState(node) || node.op === 'constant'
    const { layout, bytes, groups } = this.stateLayout(node.name) ?? {
      layout: 'dense' as const,
      bytes: tensorBytes(type),
      groups: 1,
    }
    const buffer = this.newBuffer(bytes, { state, pendingReads: this.readsOf(node, 0) })
    if (state && !this.graph.updates.has(node.name)) this.fix(buffer)
    this.set(node, 0, { buffer, layout, dtype: type.dtype, groups })
  }

  set(node: Node, index: number, stored: Stored): void {
    const outputs = this.#values.get(node) ?? []
    outputs[index] = stored
    this.#values.set(node, outputs)
  }

  stored(value: Value): Stored {
    const stored = this.#values.get(value.node)?.[value.index]
    if (stored === undefined) throw new Error(`lowering: '${value.node.name}' is read before it is written`)
    return stored
  }

  /** The names of the nodes whose values each buffer holds. */
  held(): Map<Buffer, string[]> {
    const held = new Map<Buffer, string[]>()
    for (const [{ name }, outputs] of this.#values) {
      for (const stored of outputs) {
        if (stored === undefined) continue
        const names = held.get(stored.buffer) ?? []
        if (!names.includes(name)) held.set(stored.buffer, [...names, name])
      }
    }
    return held
  }

  layoutOf(value: Value): StoredLayout {
    const { layout, groups, buffer } = this.stored(value)
    return { layout, groups, bytes: buffer.bytes }
  }

  leafOf(node: Node): Stored {
    return this.stored({ node, index: 0, type: node.outputs[0] })
  }

  /** Where the state of that name lies. */
  state(name: string): Stored {
    return this.leafOf(this.#states.get(name)!)
  }

  /** How often the graph reads an output. */
  readsOf(node: Node, index: number): number {
    return this.#reads.get(node)![index]
  }

  /** After a node's steps: its reads are done. */
  endReads(node: Node): void {
    for (const input of node.inputs) this.stored(input).buffer.pendingReads--
  }

  fix(buffer: Buffer): void {
    this.#fixed.add(buffer)
  }

  isFixed(buffer: Buffer): boolean {
    return this.#fixed.has(buffer)
  }

  /** Whether an output is, or is on its way to be, the next content of the state that lies in this buffer. */
  isNextContent(node: Node, index: number, buffer: Buffer): boolean {
    const name = this.#nextStates.get(node)?.[index]
    return name !== undefined && this.state(name).buffer === buffer
  }

  /** Whether a value of that type, so laid out, fits into the memory of an input that only this node still reads, and once. */
  isFree(input: Value, reader: Node, { dtype }: TensorType, { layout, bytes }: Omit<StoredLayout, 'groups'>): boolean {
    const stored = this.stored(input)
    const { buffer } = stored
    const fits = buffer.bytes === bytes && stored.layout === layout
    const isOfType = stored.dtype === dtype && dtype === this.storedType(input).dtype
    const reads = reader.inputs.filter(({ node, index }) => node === input.node && index === input.index).length
    return fits && isOfType && !buffer.state && buffer.pendingReads === reads && reads === 1
  }
}
