/**
 * @file Turns a graph into a list of native steps: which buffer holds which value in which layout, what may overwrite
 * what, where weights are reordered. Knows no operator (see operators/) and no memory address (see memory.ts).
 */
import {
  type DType,
  EngineError,
  elements,
  type Graph,
  isFloat,
  isState,
  type Node,
  nextStates,
  opDefinition,
  sameShape,
  type TensorType,
  tensorBytes,
  type Value,
} from 'fovea/engine'
import type { NativePlan, Primitive } from './addon.js'
import type { Arithmetic } from './arithmetic.js'
import { sliceViews, type View } from './slices.js'
import type { Buffer, Operand, Step } from './steps.js'

/** Values lie dense (NHWC, or weights as PyTorch has them), or in one of oneDNN's layouts, by number. */
export type Layout = number | 'dense'

/** How a value lies, and in how many bytes: a layout may be padded. */
export interface StoredLayout {
  readonly layout: Layout
  readonly bytes: number
  /** For oneDNN: weights of a grouped convolution have five dimensions there. */
  readonly groups: number
}

interface Stored {
  readonly buffer: Buffer
  readonly layout: Layout
  readonly dtype: DType
  readonly groups: number
}

/** ElementType of native/step.h. */
const elementTypes: Partial<Record<DType, number>> = { float32: 0, bfloat16: 1, int32: 2, uint8: 3, float16: 4 }

/** So little is moved by one thread before another has heard of it. */
const SMALL_BYTES = 1 << 16
/** So few multiply-adds are done likewise. */
const SMALL_MULTIPLY_ADDS = 1 << 19

/** How the implementations of reorders are called, which do none of their node's arithmetic. */
export const REORDER = 'reorder'

type Operands = readonly (Operand | undefined)[]

/** What a step writes comes after what it reads. */
interface Data {
  readonly reads: Operands
  readonly writes: Operands
  readonly ints?: readonly number[]
  readonly floats?: readonly number[]
}

export class Lowering {
  readonly steps: Step[] = []
  readonly buffers: Buffer[] = []
  readonly #views: ReadonlyMap<Node, View>
  readonly #values = new Map<Node, (Stored | undefined)[]>()
  readonly #reordered = new Map<string, Buffer>()
  readonly #primitives = new Map<Node, Primitive>()
  readonly #reads = new Map<Node, number[]>()
  readonly #stateLayouts = new Map<string, StoredLayout>()
  readonly #layoutBytes = new Map<number, number>()
  readonly #nextStates: ReturnType<typeof nextStates>
  readonly #stateNodes = new Map<string, Node>()
  /** Memory that no run changes: states that the graph does not update, and what is computed from them alone. */
  readonly #fixed = new Set<Buffer>()
  /** Nodes whose 16-bit result is stored in float32. */
  readonly #wide = new Set<Node>()
  /** What a node left for others. */
  readonly #kept = new Map<Node, Operand>()
  #node!: Node
  #view!: View
  #once = false

  constructor(
    readonly plan: NativePlan,
    readonly graph: Graph,
    readonly threads: number,
    readonly arithmetic: Arithmetic,
  ) {
    this.#views = sliceViews(graph, threads, arithmetic)
    this.#nextStates = nextStates(graph)
    for (const node of graph.nodes) if (isState(node)) this.#stateNodes.set(node.name, node)
    for (const node of graph.nodes) this.#reads.set(node, new Array<number>(node.outputs.length).fill(0))
    const read = ({ node, index }: Value) => this.#reads.get(node)![index]++
    for (const node of graph.nodes) for (const input of node.inputs) read(input)
    for (const value of graph.outputs.values()) read(value)
    for (const [name, value] of graph.updates) if (value.node.name !== name) read(value)
  }

  /** The node as it is for one slice, and how many slices there are. */
  view(node: Node): View {
    return this.#views.get(node)!
  }

  /** Threads that share one execution of a primitive of the node, which has so many multiply-adds. */
  threadsFor(node: Node, multiplyAdds: number): number {
    return this.view(node).slices > 0 || multiplyAdds < SMALL_MULTIPLY_ADDS ? 1 : this.threads
  }

  /** The number by which the native side knows the type. */
  type({ dtype }: TensorType): number {
    const number = elementTypes[dtype]
    if (number === undefined) throw new EngineError(`the oneDNN engine has no ${dtype} ('${this.#node.name}')`)
    return number
  }

  /** The same of a float type: kernels of floats take no integers. */
  float(type: TensorType): number {
    if (!isFloat(type.dtype)) {
      throw new EngineError(
        `the oneDNN engine has no ${this.#node.op} of ${type.dtype} ('${this.#node.name}'): cast it to float32`,
      )
    }
    return this.type(type)
  }

  /** The primitive of a node, made once. */
  primitive(node: Node, make: () => Primitive): Primitive {
    const primitive = this.#primitives.get(node) ?? make()
    this.#primitives.set(node, primitive)
    return primitive
  }

  /** Decides, before lowering, in which layout a state lives. */
  setStateLayout(name: string, layout: StoredLayout): void {
    this.#stateLayouts.set(name, layout)
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
    const buffer = this.#newBuffer(wish?.bytes ?? tensorBytes(type), { state, pendingReads: this.#reads.get(node)![0] })
    if (state && !this.graph.updates.has(node.name)) this.#fixed.add(buffer)
    this.#set(node, 0, { buffer, layout: wish?.layout ?? 'dense', dtype: type.dtype, groups: wish?.groups ?? 1 })
  }

  /** A node whose inputs never change is computed once, into memory that lasts. */
  begin(node: Node): void {
    this.#node = node
    this.#view = this.view(node)
    for (const type of node.outputs) this.type(type)
    const fixed = node.inputs.map(input => this.#fixed.has(this.#stored(input).buffer))
    this.#once = fixed.length > 0 && fixed.every(Boolean)
    // What runs once must not join a loop that runs always. Layouts of oneDNN's are those of weights, whose first axis holds
    // no images, though it may be as long as the batch.
    const readsWeights = node.inputs.some((input, i) => this.#hasParts(i) && this.#stored(input).layout !== 'dense')
    if (this.#once || readsWeights) this.#view = { node, slices: 0, imagesPerSlice: 0 }
  }

  /** The node that is being lowered, and the node as it is for one slice, which lowerings get. */
  get node(): Node {
    return this.#node
  }
  get current(): Node {
    return this.#view.node
  }

  /** After a node's steps: its reads are done. */
  end(node: Node): void {
    for (const input of node.inputs) this.#stored(input).buffer.pendingReads--
  }

  /** What holds `value` in `layout`; a reorder is added where it lies in another. */
  read(value: Value, layout: Layout = 'dense', groups = 1): Operand {
    const stored = this.#stored(value)
    const sliced = !sameShape(value.type.shape, value.node.outputs[value.index].shape)
    const { dtype } = this.storedType(value)
    if (stored.layout === layout && stored.dtype === dtype) return { buffer: stored.buffer, sliced }
    const to = layout === 'dense' ? this.#denseLayout(value, dtype, stored.groups) : layout
    const key = `${value.node.name} ${value.index} ${to}`
    const done = this.#reordered.get(key)
    if (done !== undefined) return { buffer: done, sliced }
    const source = stored.dtype === 'float16' ? this.#inFloat32(value) : stored
    const from = source.layout === 'dense' ? this.#denseLayout(value, source.dtype, groups) : source.layout
    if (from === to) return { buffer: source.buffer, sliced }
    const bytes = layout === 'dense' ? tensorBytes(value.node.outputs[value.index]) : this.#layoutBytes.get(layout)!
    const wasOnce = this.#once
    this.#once = this.#fixed.has(source.buffer)
    const target = this.#newBuffer(bytes, { state: this.#once })
    if (this.#once) this.#fixed.add(target)
    const whole = (buffer: Buffer): Operand => ({ buffer, sliced: false })
    const reorder = this.plan.reorder(from, to, bytes < SMALL_BYTES ? 1 : this.threads)
    const named = { ...reorder, implementation: `${REORDER} ${reorder.implementation}` }
    this.#pushPrimitive(named, [whole(source.buffer)], [whole(target)], false)
    this.#once = wasOnce
    // A state changes at its update, so a reordered copy of it serves only until then; graphs update states last.
    this.#reordered.set(key, target)
    return { buffer: target, sliced }
  }

  /** The stored layout and groups of a value (its optimizer slots take the same). */
  layoutOf(value: Value): StoredLayout {
    const { layout, groups, buffer } = this.#stored(value)
    return { layout, groups, bytes: buffer.bytes }
  }

  /**
   * An output: in the memory of an input in the same layout, where the operator allows it and nobody reads that later, else
   * in its own, of so many bytes.
   */
  write(index = 0, layout: Layout = 'dense', bytes = tensorBytes(this.#outputType(index)), groups = 1): Operand {
    const over = this.#overwritable(index).find(input => this.#isFree(input, index, layout, bytes))
    if (over !== undefined) return this.alias(index, over)
    const buffer = this.#newBuffer(bytes, { state: this.#once, pendingReads: this.#reads.get(this.#node)![index] })
    if (this.#once) this.#fixed.add(buffer)
    this.#set(this.#node, index, { buffer, layout, dtype: this.#outputType(index).dtype, groups })
    return { buffer, sliced: this.#isSliced(index) }
  }

  /** An output that begins as the content of `input`, which it may overwrite, and is added to. */
  writeOnto(input: Value): Operand {
    const source = this.read(input)
    const target = this.write()
    if (target.buffer !== source.buffer) {
      this.kernel('copy', { reads: [source], writes: [target], ints: [tensorBytes(this.storedType(input))] })
    }
    return target
  }

  /** Output `index` is the memory of an input: a new view of it, or its successor. */
  alias(index: number, input: Value): Operand {
    const stored = this.#stored(input)
    stored.buffer.pendingReads += this.#reads.get(this.#node)![index]
    this.#set(this.#node, index, { ...stored })
    return { buffer: stored.buffer, sliced: this.#isSliced(index) }
  }

  /**
   * An output that is the next content of a state, or on its way to it: in place where the input that it may overwrite lies
   * in the state's memory, and nobody else still reads that; else a buffer in the same layout.
   */
  writeState(index = 0): Operand {
    const [input] = this.#overwritable(index)
    const { buffer, layout, groups } = this.#stored(input)
    const name = this.#nextStates.get(this.#node)?.[index]
    const isThere = name !== undefined && this.state(this.#stateNodes.get(name)!).buffer === buffer
    if (isThere && buffer.pendingReads === 1) return this.alias(index, input)
    return this.write(index, layout, buffer.bytes, groups)
  }

  /** Memory for one step, of which each thread has its own. */
  scratch(bytes: number): Operand {
    return { buffer: this.#newBuffer(bytes, { scratch: true, perThread: true }), sliced: false }
  }

  /** Memory from one step of this node to the next: for the slice, or for the whole where the node is not sliced. */
  temporary(bytes: number): Operand {
    return { buffer: this.#newBuffer(bytes, { scratch: true, perThread: this.#view.slices > 0 }), sliced: false }
  }

  /** Memory to which each thread adds what it sees of the batch. */
  partial(bytes: number): Operand {
    return { buffer: this.#newBuffer(bytes, { perThread: true, zeroed: true }), sliced: false }
  }

  /** Memory between this node's steps, one for all threads. */
  shared(bytes: number): Operand {
    const operand = { buffer: this.#newBuffer(bytes, { state: this.#once }), sliced: false }
    if (this.#once) this.#fixed.add(operand.buffer)
    return operand
  }

  /** Leaves what this node has computed for a later one, which asks for it by `kept`. */
  keep(operand: Operand): void {
    this.#kept.set(this.#node, operand)
  }

  kept(node: Node): Operand | undefined {
    return this.#kept.get(node)
  }

  /** A step by a kernel of ours, on each slice of the batch where the node is sliced. */
  kernel(kernel: string, data: Data): void {
    this.#pushKernel(kernel, data, this.#view)
  }

  /** A step on the whole, after all slices. */
  sharedKernel(kernel: string, data: Data): void {
    this.#pushKernel(kernel, data, { node: this.#node, slices: 0, imagesPerSlice: 0 })
  }

  runPrimitive(primitive: Primitive, reads: Operands, writes: Operands): void {
    this.#pushPrimitive(primitive, reads, writes, this.#view.slices > 0)
  }

  /**
   * Copies what updates did not write in place; brings outputs into the dense layout.
   * @returns where each output of the graph is read
   */
  finish(): ReadonlyMap<string, Buffer> {
    const copies = [...this.graph.updates].flatMap(([name, value]) => {
      const target = this.state(this.#stateNodes.get(name)!)
      return this.#stored(value).buffer === target.buffer ? [] : [{ value, target }]
    })
    const changing = new Set(copies.map(({ target }) => target.buffer))
    this.#once = false
    // All updates happen at once, after the outputs: what is read of a state is its old content.
    const old = (value: Value, layout: Layout = 'dense', groups = 1): Operand => {
      this.#node = value.node
      const source = this.read(value, layout, groups)
      if (!changing.has(source.buffer)) return source
      const copy: Operand = { buffer: this.#newBuffer(source.buffer.bytes, {}), sliced: false }
      this.sharedKernel('copy', { reads: [source], writes: [copy], ints: [source.buffer.bytes] })
      return copy
    }
    const outputs = new Map([...this.graph.outputs].map(([name, value]) => [name, old(value).buffer]))
    const sources = copies.map(({ value, target }) => old(value, target.layout, target.groups))
    for (const [i, { value, target }] of copies.entries()) {
      this.#node = value.node
      const writes = [{ buffer: target.buffer, sliced: false }]
      this.sharedKernel('copy', { reads: [sources[i]], writes, ints: [target.buffer.bytes] })
    }
    return outputs
  }

  /** The layout in which our weight gradient leaves its tiles: [outputs / 16, inputs / 16, height, width, 16, 16]. */
  tiled(type: TensorType): { readonly layout: number; readonly bytes: number } {
    const found = this.plan.layout(this.type(type), type.shape, 1, true)
    this.noteLayout(found.layout, found.bytes)
    return found
  }

  /** The dense layout of weights, as a number of oneDNN's. */
  denseLayoutOf(node: Node, groups: number): number {
    return this.#denseLayout({ node, index: 0, type: node.outputs[0] }, node.outputs[0].dtype, groups)
  }

  /** Remembers how many bytes a layout of oneDNN's takes. */
  noteLayout(layout: number, bytes: number): void {
    this.#layoutBytes.set(layout, bytes)
  }

  #denseLayout(value: Value, dtype: DType, groups: number): number {
    const { shape } = value.node.outputs[value.index]
    const weights = shape.length === 2 ? [...shape, 1, 1] : shape
    const { layout, bytes } = this.plan.layout(elementTypes[dtype]!, weights, groups, false)
    this.noteLayout(layout, bytes)
    return layout
  }

  /** A dense copy of weights that were computed in float16, of which oneDNN knows nothing. */
  #inFloat32(value: Value): Pick<Stored, 'buffer' | 'layout' | 'dtype'> {
    const type: TensorType = { ...value.type, dtype: 'float32' }
    const copy = this.shared(tensorBytes(type))
    const reads = [{ buffer: this.#stored(value).buffer, sliced: false }]
    const ints = [elements(type.shape), this.type(value.type), this.type(type)]
    this.sharedKernel('cast', { reads, writes: [copy], ints })
    return { buffer: copy.buffer, layout: 'dense', dtype: 'float32' }
  }

  #outputType(index: number): TensorType {
    return this.storedType({ node: this.#node, index, type: this.#node.outputs[index] })
  }

  /** The inputs whose memory the operator lets an output take, the best first. */
  #overwritable(index: number): readonly Value[] {
    const { memory } = opDefinition(this.#node.op)
    const inputs = memory === 'view' ? [0] : (memory[index] ?? [])
    return inputs.flatMap(i => this.#view.node.inputs[i] ?? [])
  }

  /** Whether an output fits into the memory of an input that only this node still reads, and once. */
  #isFree(input: Value, index: number, layout: Layout, bytes: number): boolean {
    const stored = this.#stored(input)
    const { buffer, dtype } = stored
    const fits =
      buffer.bytes === bytes && dtype === this.#outputType(index).dtype && dtype === this.storedType(input).dtype
    const reads = this.#node.inputs.filter(({ node, index: i }) => node === input.node && i === input.index).length
    return fits && !buffer.state && stored.layout === layout && buffer.pendingReads === reads && reads === 1
  }

  /** Whether an input of the node is cut into slices. */
  #hasParts(input: number): boolean {
    return !sameShape(this.#view.node.inputs[input].type.shape, this.#node.inputs[input].type.shape)
  }

  #isSliced(index: number): boolean {
    return this.#view.slices > 0 && this.#view.node.outputs[index] !== this.#node.outputs[index]
  }

  #newBuffer(bytes: number, options: Partial<Omit<Buffer, 'bytes'>>): Buffer {
    const buffer = { bytes, state: false, perThread: false, zeroed: false, scratch: false, pendingReads: 0, ...options }
    this.buffers.push(buffer)
    return buffer
  }

  #pushKernel(kernel: string, { reads, writes, ints = [], floats = [] }: Data, { slices, imagesPerSlice }: View): void {
    this.#push({ kernel, ints, floats, implementation: kernel, slices, imagesPerSlice }, reads, writes)
  }

  #pushPrimitive(primitive: Primitive, reads: Operands, writes: Operands, sliced: boolean): void {
    const { id, implementation, scratchpadBytes } = primitive
    const scratch =
      scratchpadBytes === 0
        ? undefined
        : { buffer: this.#newBuffer(scratchpadBytes, { scratch: true, perThread: sliced }), sliced: false }
    const { slices, imagesPerSlice } = sliced ? this.#view : { slices: 0, imagesPerSlice: 0 }
    const step = { primitive: id, ints: [], floats: [], implementation, slices, imagesPerSlice }
    this.#push(step, reads, [...writes, scratch])
  }

  #push(step: Omit<Step, 'node' | 'operands' | 'writes' | 'once'>, reads: Operands, writes: Operands): void {
    this.steps.push({
      ...step,
      node: this.#node,
      operands: [...reads, ...writes],
      writes: writes.map((_, i) => reads.length + i),
      once: this.#once,
    })
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
