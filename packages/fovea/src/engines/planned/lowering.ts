/**
 * @file Turns a graph into a list of steps: what may overwrite what, where weights are reordered, what runs on slices.
 * Knows no operator (see operators/) and no memory address (see placement.ts).
 */
import { EngineError } from '../../errors.js'
import type { Graph, Node, Value } from '../../graph/graph.js'
import { elements, sameShape, type TensorType, tensorBytes } from '../../graph/types.js'
import { opDefinition } from '../../ops/index.js'
import { encode, type KernelFields } from './kernels/emit.js'
import { type EnumerationName, isElementType } from './kernels/field.js'
import type { KernelName } from './kernels/table.js'
import { aligned } from './placement.js'
import { type Slicing, sliceNodes } from './slices.js'
import type { Buffer, LoweredStep, Operand } from './steps.js'
import { type Layout, Storage, type Stored } from './storage.js'
import type { Packing, Primitive, Target } from './target.js'

/** So little is moved by one thread before another has heard of it. */
const SMALL_BYTES = 1 << 16

/** How the implementations of reorders are called, which do none of their node's arithmetic. */
export const REORDER = 'reorder'

type Operands = readonly (Operand | undefined)[]

type ElementType = EnumerationName<'ElementType'>
type FloatType = Exclude<ElementType, 'int32' | 'uint8' | 'int8'>

/** Not in slices. */
const whole = (node: Node): Slicing => ({ node, slices: 0, imagesPerSlice: 0 })

export class Lowering {
  readonly steps: LoweredStep[] = []
  readonly storage: Storage
  readonly #slicings: ReadonlyMap<Node, Slicing>
  readonly #reordered = new Map<string, Buffer>()
  /** What a node left for others. */
  readonly #kept = new Map<Node, Operand>()
  #node!: Node
  #slicing!: Slicing
  #once = false

  constructor(
    readonly graph: Graph,
    readonly target: Target,
  ) {
    this.#slicings = sliceNodes(graph, target)
    this.storage = new Storage(graph)
  }

  /** The node as it is for one slice, and how many slices there are. */
  slicing(node: Node): Slicing {
    return this.#slicings.get(node)!
  }

  /** The type, as one that the native side has. */
  type({ dtype }: TensorType): ElementType {
    if (!isElementType(dtype))
      throw new EngineError(`the ${this.target.name} engine has no ${dtype} ('${this.#node.name}')`)
    return dtype
  }

  /** The same of a float type: kernels of floats take no integers. */
  float(type: TensorType): FloatType {
    const own = this.type(type)
    if (own === 'int32' || own === 'uint8' || own === 'int8') {
      throw new EngineError(
        `the ${this.target.name} engine has no ${this.#node.op} of ${own} ('${this.#node.name}'): cast it to float32`,
      )
    }
    return own
  }

  /** The same of what is moved or compared, and not computed with: bytes too. */
  moved(type: TensorType): FloatType | 'uint8' {
    return type.dtype === 'uint8' ? 'uint8' : this.float(type)
  }

  /** Makes the buffers of leaves. */
  leaf(node: Node): void {
    this.#node = node
    this.type(node.outputs[0])
    this.storage.leaf(node)
  }

  /**
   * A node whose inputs never change is computed once, into memory that lasts.
   * @returns the node as it is for one slice
   */
  begin(node: Node): Node {
    this.#node = node
    this.#slicing = this.slicing(node)
    for (const type of node.outputs) this.type(type)
    const fixed = node.inputs.map(input => this.storage.isFixed(this.storage.stored(input).buffer))
    this.#once = fixed.length > 0 && fixed.every(Boolean)
    // What runs once must not join a loop that runs always. Layouts of the target's are those of weights, whose first axis holds
    // no images, though it may be as long as the batch.
    const readsWeights = node.inputs.some(
      (input, i) => this.#hasParts(i) && this.storage.stored(input).layout !== 'dense',
    )
    if (this.#once || readsWeights) this.#slicing = whole(node)
    return this.#slicing.node
  }

  /** After all nodes: what follows is a step of this one's, on the whole, in each run. */
  after(node: Node): void {
    this.#node = node
    this.#slicing = whole(node)
    this.#once = false
  }

  /** What holds `value` in `layout`; a reorder is added where it lies in another. */
  read(value: Value, layout: Layout = 'dense', groups = 1): Operand {
    const stored = this.storage.stored(value)
    const { shape } = value.node.outputs[value.index]
    const sliced = !sameShape(value.type.shape, shape)
    const { dtype } = this.storage.storedType(value)
    if (stored.layout === layout && stored.dtype === dtype) return { buffer: stored.buffer, sliced }
    const to = layout === 'dense' ? this.target.layouts.dense(shape, dtype, stored.groups) : layout
    const key = `${value.node.name} ${value.index} ${to}`
    const done = this.#reordered.get(key)
    if (done !== undefined) return { buffer: done, sliced }
    const source = this.target.layouts.reorders(stored.dtype) ? stored : this.#inFloat32(value)
    const from = source.layout === 'dense' ? this.target.layouts.dense(shape, source.dtype, groups) : source.layout
    if (from === to) return { buffer: source.buffer, sliced }
    const bytes =
      layout === 'dense' ? tensorBytes(value.node.outputs[value.index]) : this.target.layouts.bytesOf(layout)
    const wasOnce = this.#once
    this.#once = this.storage.isFixed(source.buffer)
    const target = this.storage.newBuffer(bytes, { state: this.#once })
    if (this.#once) this.storage.fix(target)
    const reorder = this.target.layouts.reorder(from, to, bytes < SMALL_BYTES ? 1 : this.target.threads)
    this.#pushReorder(reorder, source.buffer, target)
    this.#once = wasOnce
    // A state changes at its update, so a reordered copy of it serves only until then; graphs update states last.
    this.#reordered.set(key, target)
    return { buffer: target, sliced }
  }

  /**
   * An output: in the memory of an input in the same layout, where the operator allows it and nobody reads that later, else
   * in its own, of so many bytes.
   */
  write(index = 0, layout: Layout = 'dense', bytes = tensorBytes(this.#outputType(index)), groups = 1): Operand {
    const type = this.#outputType(index)
    const over = this.#overwritable(index).find(input =>
      this.storage.isFree(input, this.#node, type, { layout, bytes }),
    )
    if (over !== undefined) return this.alias(index, over)
    const pendingReads = this.storage.readsOf(this.#node, index)
    const buffer = this.storage.newBuffer(bytes, { state: this.#once, pendingReads })
    if (this.#once) this.storage.fix(buffer)
    this.storage.set(this.#node, index, { buffer, layout, dtype: type.dtype, groups })
    return { buffer, sliced: this.#isSliced(index) }
  }

  /** An output that begins as the content of `input`, which it may overwrite, and is added to. */
  writeOnto(input: Value): Operand {
    const source = this.read(input)
    const target = this.write()
    if (target.buffer !== source.buffer) {
      this.copy(source, target, tensorBytes(this.storage.storedType(input)))
    }
    return target
  }

  /** Output `index` is the memory of an input: a new view of it, or its successor. */
  alias(index: number, input: Value): Operand {
    const stored = this.storage.stored(input)
    stored.buffer.pendingReads += this.storage.readsOf(this.#node, index)
    this.storage.set(this.#node, index, { ...stored })
    return { buffer: stored.buffer, sliced: this.#isSliced(index) }
  }

  /**
   * An output that is the next content of a state, or on its way to it: in place where the input that it may overwrite lies
   * in the state's memory, and nobody else still reads that; else a buffer in the same layout.
   */
  writeState(index = 0): Operand {
    const [input] = this.#overwritable(index)
    const { buffer, layout, groups } = this.storage.stored(input)
    const isThere = this.storage.isNextContent(this.#node, index, buffer)
    if (isThere && buffer.pendingReads === 1) return this.alias(index, input)
    return this.write(index, layout, buffer.bytes, groups)
  }

  /** Memory from one step of this node to the next: for the slice, or for the whole where the node is not sliced. */
  temporary(bytes: number): Operand {
    return {
      buffer: this.storage.newBuffer(bytes, { scratch: true, perThread: this.#slicing.slices > 0 }),
      sliced: false,
    }
  }

  /** Memory to which each thread adds what it sees of the batch. */
  partial(bytes: number): Operand {
    return { buffer: this.storage.newBuffer(aligned(bytes), { perThread: true, zeroed: true }), sliced: false }
  }

  /** Memory between this node's steps, one for all threads. */
  shared(bytes: number): Operand {
    const operand = { buffer: this.storage.newBuffer(bytes, { state: this.#once }), sliced: false }
    if (this.#once) this.storage.fix(operand.buffer)
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
  kernel<K extends KernelName>(kernel: K, fields: KernelFields<K>): void {
    this.#pushKernel(kernel, fields, this.#slicing)
  }

  /** A step that copies so many bytes. */
  copy(source: Operand, target: Operand, bytes = target.buffer.bytes): void {
    this.kernel('copy', { source, target, bytes })
  }

  /** A step on the whole, after all slices. */
  sharedKernel<K extends KernelName>(kernel: K, fields: KernelFields<K>): void {
    this.#pushKernel(kernel, fields, whole(this.#node))
  }

  runPrimitive(primitive: Primitive, reads: Operands, writes: Operands): void {
    this.#pushPrimitive(primitive, reads, writes, this.#slicing.slices > 0)
  }

  /** A dense copy of weights that were computed in a type of which the target's layouts know nothing. */
  #inFloat32(value: Value): Pick<Stored, 'buffer' | 'layout' | 'dtype'> {
    const type: TensorType = { ...value.type, dtype: 'float32' }
    const copy = this.shared(tensorBytes(type))
    // As it is stored: a weight that is cast for its readers alone is still what it was.
    const { buffer, dtype } = this.storage.stored(value)
    const x = { buffer, sliced: false }
    const types = { from: this.type({ ...type, dtype }), to: this.type(type) }
    this.sharedKernel('cast', { x, y: copy, elements: elements(type.shape), ...types })
    return { buffer: copy.buffer, layout: 'dense', dtype: 'float32' }
  }

  #outputType(index: number): TensorType {
    return this.storage.storedType({ node: this.#node, index, type: this.#node.outputs[index] })
  }

  /** The inputs whose memory the operator lets an output take, the best first. */
  #overwritable(index: number): readonly Value[] {
    const { memory } = opDefinition(this.#node.op)
    const inputs = memory === 'view' ? [0] : (memory[index] ?? [])
    return inputs.flatMap(i => this.#slicing.node.inputs[i] ?? [])
  }

  /** Whether an input of the node is cut into slices. */
  #hasParts(input: number): boolean {
    return !sameShape(this.#slicing.node.inputs[input].type.shape, this.#node.inputs[input].type.shape)
  }

  #isSliced(index: number): boolean {
    return this.#slicing.slices > 0 && this.#slicing.node.outputs[index] !== this.#node.outputs[index]
  }

  #pushKernel<K extends KernelName>(kernel: K, fields: KernelFields<K>, { slices, imagesPerSlice }: Slicing): void {
    const scratch = (bytes: number): Operand => ({
      buffer: this.storage.newBuffer(aligned(bytes), { scratch: true, perThread: true }),
      sliced: false,
    })
    const encoded = encode(kernel, fields, scratch)
    this.#push({ run: { kernel }, implementation: kernel, slices, imagesPerSlice, ...encoded })
  }

  #pushPrimitive(primitive: Primitive, reads: Operands, writes: Operands, sliced: boolean): void {
    const { id, implementation, scratchpadBytes } = primitive
    const scratch =
      scratchpadBytes === 0
        ? undefined
        : { buffer: this.storage.newBuffer(scratchpadBytes, { scratch: true, perThread: sliced }), sliced: false }
    const { slices, imagesPerSlice } = sliced ? this.#slicing : whole(this.#node)
    const operands = [...reads, ...writes, scratch]
    const written = operands.map((_, i) => i).slice(reads.length)
    const step = { run: { primitive: id }, ints: [], floats: [], implementation, slices, imagesPerSlice }
    this.#push({ ...step, operands, writes: written })
  }

  #pushReorder(reorder: Primitive | Packing, source: Buffer, target: Buffer): void {
    const [from, to] = [source, target].map(buffer => ({ buffer, sliced: false }))
    const named = { ...reorder, implementation: `${REORDER} ${reorder.implementation}` }
    if ('id' in named) this.#pushPrimitive(named, [from], [to], false)
    else this.#push({ ...whole(this.#node), ...named, operands: [from, to], writes: [1] })
  }

  #push(step: Omit<LoweredStep, 'node' | 'once'>): void {
    this.steps.push({ ...step, node: this.#node, once: this.#once })
  }
}
