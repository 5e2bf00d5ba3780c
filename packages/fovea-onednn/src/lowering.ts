/**
 * @file Turns a graph into a list of native steps: which buffer holds which value in which layout, what may overwrite
 * what, where weights are reordered. Knows no operator (see operators/) and no memory address (see engine.ts).
 */
import {
  type DType,
  EngineError,
  type Graph,
  isState,
  type Node,
  type TensorType,
  tensorBytes,
  type Value,
} from 'fovea/engine'
import type { NativePlan, NativeStep, Primitive } from './addon.js'

/** Values lie dense (NHWC, or weights as PyTorch has them), or in one of oneDNN's layouts, by number. */
export type Layout = number | 'dense'

/** A piece of memory. `state` outlives a run; the others live from step `first` to step `last`. */
export interface Buffer {
  bytes: number
  readonly state: boolean
  first: number
  last: number
  /** How many reads of the values it holds are still to come in the graph. */
  pendingReads: number
}

interface Stored {
  readonly buffer: Buffer
  readonly layout: Layout
  readonly dtype: DType
  /** For oneDNN: weights of a grouped convolution have five dimensions there. */
  readonly groups: number
}

export interface LoweredStep {
  readonly node: Node
  readonly kernel?: string
  readonly primitive?: number
  readonly buffers: readonly (Buffer | undefined)[]
  readonly ints: readonly number[]
  readonly floats: readonly number[]
  readonly implementation: string
  /** Depends on state that no run changes: done again only after that state is written. */
  readonly once: boolean
}

/** ElementType of native/step.h. */
const elementTypes: Partial<Record<DType, number>> = { float32: 0, bfloat16: 1, int32: 2, uint8: 3 }

export class Lowering {
  readonly steps: LoweredStep[] = []
  readonly buffers: Buffer[] = []
  readonly #values = new Map<Node, (Stored | undefined)[]>()
  readonly #reordered = new Map<string, Buffer>()
  readonly #primitives = new Map<Node, Primitive>()
  readonly #reads = new Map<Node, number[]>()
  readonly #stateLayouts = new Map<string, { layout: Layout; bytes: number; groups: number }>()
  /** Updated states whose new value a step wrote in place. */
  readonly #updatedInPlace = new Set<string>()
  #node!: Node

  constructor(
    readonly plan: NativePlan,
    readonly graph: Graph,
    readonly threads: number,
  ) {
    for (const node of graph.nodes) this.#reads.set(node, new Array<number>(node.outputs.length).fill(0))
    const read = ({ node, index }: Value) => this.#reads.get(node)![index]++
    for (const node of graph.nodes) for (const input of node.inputs) read(input)
    for (const value of graph.outputs.values()) read(value)
    for (const [name, value] of graph.updates) if (value.node.name !== name) read(value)
  }

  /** The number by which the native side knows the type. */
  type({ dtype }: TensorType): number {
    const number = elementTypes[dtype]
    if (number === undefined) throw new EngineError(`the oneDNN engine has no ${dtype} ('${this.#node.name}')`)
    return number
  }

  /** The primitive of a node, made once. */
  primitive(node: Node, make: () => Primitive): Primitive {
    const primitive = this.#primitives.get(node) ?? make()
    this.#primitives.set(node, primitive)
    return primitive
  }

  /** Decides, before lowering, in which layout a state lives. */
  setStateLayout(name: string, layout: Layout, bytes: number, groups: number): void {
    this.#stateLayouts.set(name, { layout, bytes, groups })
  }

  isOutput(node: Node): boolean {
    return [...this.graph.outputs.values()].some(value => value.node === node)
  }

  hasStateLayout(name: string): boolean {
    return this.#stateLayouts.has(name)
  }

  /** Where a state lies, for reading and writing it from outside. */
  state(node: Node): Stored {
    return this.#stored({ node, index: 0, type: node.outputs[0] })
  }

  /** Makes the buffers of leaves. */
  leaf(node: Node): void {
    this.#node = node
    const type = node.outputs[0]
    this.type(type)
    const state = isState(node) || node.op === 'constant'
    const wish = this.#stateLayouts.get(node.name)
    const buffer = this.#newBuffer(wish?.bytes ?? tensorBytes(type), state, this.#reads.get(node)![0])
    if (state && !this.graph.updates.has(node.name)) this.#fixed.add(buffer)
    this.#set(node, 0, { buffer, layout: wish?.layout ?? 'dense', dtype: type.dtype, groups: wish?.groups ?? 1 })
  }

  /** A node whose inputs never change is computed once, into memory that lasts. */
  begin(node: Node): void {
    this.#node = node
    for (const type of node.outputs) this.type(type)
    const fixed = node.inputs.map(input => this.#fixed.has(this.#stored(input).buffer))
    this.#once = fixed.length > 0 && fixed.every(Boolean)
  }

  /** After a node's steps: its reads are done. */
  end(node: Node): void {
    for (const input of node.inputs) this.#stored(input).buffer.pendingReads--
  }

  /** The buffer that holds `value` in `layout`; a reorder is added where it lies in another. */
  read(value: Value, layout: Layout = 'dense', groups = 1): Buffer {
    const stored = this.#stored(value)
    if (stored.layout === layout && stored.dtype === value.type.dtype) return stored.buffer
    const from = stored.layout === 'dense' ? this.#denseLayout(value, stored.dtype, groups) : stored.layout
    const to = layout === 'dense' ? this.#denseLayout(value, value.type.dtype, stored.groups) : layout
    if (from === to) return stored.buffer
    const key = `${value.node.name} ${value.index} ${to}`
    const done = this.#reordered.get(key)
    if (done !== undefined) return done
    const primitive = this.plan.reorder(from, to)
    const bytes = layout === 'dense' ? tensorBytes(value.type) : this.#layoutBytes.get(layout)!
    const wasOnce = this.#once
    this.#once = this.#fixed.has(stored.buffer)
    const target = this.#newBuffer(bytes, this.#once, 0)
    if (this.#once) this.#fixed.add(target)
    this.runPrimitive(primitive, [stored.buffer, target])
    this.#once = wasOnce
    // A state changes at its update, so a reordered copy of it serves only until then; graphs update states last.
    this.#reordered.set(key, target)
    return target
  }

  /** The stored layout and groups of a value (its optimizer slots take the same). */
  layoutOf(value: Value): { readonly layout: Layout; readonly groups: number; readonly bytes: number } {
    const { layout, groups, buffer } = this.#stored(value)
    return { layout, groups, bytes: buffer.bytes }
  }

  /** A new buffer for an output; `bytes` only where its layout is padded. */
  write(node: Node, index = 0, layout: Layout = 'dense', bytes = tensorBytes(node.outputs[index]), groups = 1): Buffer {
    const buffer = this.#newBuffer(bytes, this.#once, this.#reads.get(node)![index])
    if (this.#once) this.#fixed.add(buffer)
    this.#set(node, index, { buffer, layout, dtype: node.outputs[index].dtype, groups })
    return buffer
  }

  /** An output that may take over the memory of a dense input that nobody reads later; else a new buffer. */
  writeOver(node: Node, input: Value, index = 0): Buffer {
    const stored = this.#stored(input)
    const reads = node.inputs.filter(({ node: n, index: i }) => n === input.node && i === input.index).length
    const free =
      !stored.buffer.state && stored.layout === 'dense' && stored.buffer.pendingReads === reads && reads === 1
    if (!free || stored.buffer.bytes !== tensorBytes(node.outputs[index]) || stored.dtype !== input.type.dtype) {
      return this.write(node, index)
    }
    return this.alias(node, index, input)
  }

  /** An output that begins as the content of `input` and is added to. */
  writeOnto(node: Node, input: Value): Buffer {
    const source = this.read(input)
    const target = this.writeOver(node, input)
    if (target !== source) this.kernel('copy', [source, target], [source.bytes])
    return target
  }

  /** Output `index` is the memory of an input: a new view of it, or its successor. */
  alias(node: Node, index: number, input: Value): Buffer {
    const stored = this.#stored(input)
    stored.buffer.pendingReads += this.#reads.get(node)![index]
    this.#set(node, index, { ...stored, dtype: stored.dtype })
    return stored.buffer
  }

  /**
   * An output that is the next content of the state `input`: in place where the graph assigns it so and nobody reads the
   * old content later, else a buffer in the same layout.
   */
  writeState(node: Node, index: number, input: Value): Buffer {
    const assigned = this.graph.updates.get(input.node.name)
    const isNext = isState(input.node) && assigned?.node === node && assigned.index === index
    const { buffer, layout, groups } = this.#stored(input)
    if (isNext && buffer.pendingReads === 1) {
      this.#updatedInPlace.add(input.node.name)
      return this.alias(node, index, input)
    }
    return this.write(node, index, layout, buffer.bytes, groups)
  }

  /** Memory for this node's steps only. */
  scratch(bytes: number): Buffer | undefined {
    return bytes === 0 ? undefined : this.#newBuffer(bytes, false, 0)
  }

  kernel(
    kernel: string,
    buffers: readonly (Buffer | undefined)[],
    ints: readonly number[],
    floats: readonly number[] = [],
  ): void {
    this.#push({ node: this.#node, kernel, buffers, ints, floats, implementation: kernel, once: this.#once })
  }

  runPrimitive(primitive: Primitive, buffers: readonly (Buffer | undefined)[]): void {
    const { id, implementation, scratchpadBytes } = primitive
    const all = [...buffers, this.scratch(scratchpadBytes)]
    this.#push({
      node: this.#node,
      primitive: id,
      buffers: all,
      ints: [],
      floats: [],
      implementation,
      once: this.#once,
    })
  }

  /** Copies what updates did not write in place; keeps outputs alive to the end. */
  finish(): void {
    for (const [name, value] of this.graph.updates) {
      if (this.#updatedInPlace.has(name) || value.node.name === name) continue
      const node = this.graph.nodes.find(candidate => candidate.name === name)!
      const target = this.#stored({ node, index: 0, type: node.outputs[0] })
      this.#node = value.node
      const source = this.read(value, target.layout, target.groups)
      this.kernel('copy', [source, target.buffer], [target.buffer.bytes])
    }
    // Reading may add reorders, so lives are prolonged only when all steps are known.
    const outputs = [...this.graph.outputs.values()].map(value => this.read(value))
    for (const buffer of outputs) buffer.last = this.steps.length
  }

  /** The steps with buffers as indices, as the addon takes them. */
  nativeSteps(): NativeStep[] {
    const index = new Map(this.buffers.map((buffer, i) => [buffer, i]))
    return this.steps.map(({ kernel, primitive, buffers, ints, floats, once }) => ({
      ...(kernel === undefined ? { primitive: primitive! } : { kernel }),
      buffers: buffers.map(buffer => (buffer === undefined ? -1 : index.get(buffer)!)),
      ints,
      floats,
      once,
    }))
  }

  /** The dense layout of weights, as a number of oneDNN's. */
  denseLayoutOf(node: Node, groups: number): number {
    return this.#denseLayout({ node, index: 0, type: node.outputs[0] }, node.outputs[0].dtype, groups)
  }

  /** Remembers how many bytes a layout of oneDNN's takes. */
  noteLayout(layout: number, bytes: number): void {
    this.#layoutBytes.set(layout, bytes)
  }

  #once = false
  /** Memory that no run changes: states that the graph does not update, and what is computed from them alone. */
  readonly #fixed = new Set<Buffer>()
  readonly #layoutBytes = new Map<number, number>()

  #denseLayout(value: Value, dtype: DType, groups: number): number {
    const { shape } = value.type
    const weights = shape.length === 2 ? [...shape, 1, 1] : shape
    const { layout, bytes } = this.plan.layout(elementTypes[dtype]!, weights, groups)
    this.noteLayout(layout, bytes)
    return layout
  }

  #newBuffer(bytes: number, state: boolean, pendingReads: number): Buffer {
    const buffer = { bytes, state, first: this.steps.length, last: this.steps.length, pendingReads }
    this.buffers.push(buffer)
    return buffer
  }

  #push(step: LoweredStep): void {
    for (const buffer of step.buffers) if (buffer !== undefined) buffer.last = Math.max(buffer.last, this.steps.length)
    this.steps.push(step)
  }

  #set(node: Node, index: number, stored: Stored): void {
    const outputs = this.#values.get(node) ?? []
    outputs[index] = stored
    this.#values.set(node, outputs)
  }

  #stored(value: Value): Stored {
    const stored = this.#values.get(value.node)?.[value.index]
    if (stored === undefined) throw new Error(`lowering: '${value.node.name}' is read before it is written`)
    return stored
  }
}
