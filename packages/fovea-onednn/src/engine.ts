/** @file The oneDNN engine: compiles a graph into a native plan; a program runs it on the addon's own thread. */
import {
  type CompileOptions,
  checkMemory,
  type Engine,
  EngineError,
  elements,
  encodeHalf,
  type Feeds,
  formatShape,
  type HostArray,
  InvalidArgumentError,
  inputNodes,
  isHalf,
  isLeaf,
  isOpName,
  isState,
  type Node,
  type Outputs,
  opDefinition,
  type Program,
  type TensorType,
} from 'fovea/engine'
import type { NativeLoop, NativePlan, Transfer } from './addon.js'
import { allowedCores } from './cores.js'
import { type AddonOrigin, findAddon, NoAddonError } from './find-addon.js'
import { gatherLoops, type Loop } from './loops.js'
import { type Arithmetic, Lowering, REORDER, type Widening } from './lowering.js'
import { type Placement, placeBuffers } from './memory.js'
import { chooseWeightLayouts, chooseWideStorage } from './operators/convolution.js'
import { lowerings } from './operators/index.js'
import type { Buffer, Operand, Step } from './steps.js'

/** What an engine is made with; all programs that it compiles share it. */
export interface OnednnOptions {
  /** Threads of the native pool. Default: the physical cores that this process may use. */
  readonly threads?: number
}

/** More than any processor of today has cores; the system may refuse more threads than that with a crash. */
export const MOST_THREADS = 512

/**
 * The native engine: float32 and the 16-bit floats over oneDNN's convolutions and our own kernels.
 * @throws NoAddonError when there is no addon or none loads, saying what to do
 */
export function onednnEngine(options: OnednnOptions = {}): Engine {
  const cores = allowedCores() // Before the OpenMP runtime is loaded, which may bind this thread to one of them.
  const { addon } = findAddon()
  const { version, instructionSet, bfloat16Cost, threadLimit } = addon.info()
  const { threads = Math.min(cores, threadLimit) } = options
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw new InvalidArgumentError(`threads must be a whole number from 1 to ${MOST_THREADS}, got ${threads}`)
  }
  if (threads > threadLimit) {
    throw new EngineError(
      `OpenMP gives this process at most ${threadLimit} thread${threadLimit === 1 ? '' : 's'} (OMP_THREAD_LIMIT, OMP_MAX_ACTIVE_LEVELS), not ${threads}`,
    )
  }
  const widening: Widening = {
    bfloat16: bfloat16Cost === 0 ? 'always' : bfloat16Cost > WIDENING_PAYS ? 'where it pays' : 'never',
    float16: 'always', // oneDNN 2.6 has no convolution of float16 on a CPU
  }
  // With tiles (AMX), oneDNN's own gradients are faster; where products of pairs are slow, all is widened.
  const pairs = instructionSet === 'avx512_core_bf16' && widening.bfloat16 === 'never'
  const types = (['float32', 'bfloat16', 'float16'] as const).filter(
    type => !isHalf(type) || widening[type] !== 'never',
  )
  const arithmetic: Arithmetic = { widening, pairs, winograd: instructionSet.startsWith('avx512') ? types : [] }
  return {
    name: 'onednn',
    description: `onednn ${version} (${instructionSet}, ${threads} thread${threads === 1 ? '' : 's'})`,
    threads,
    arithmetic: dtype => {
      if (isHalf(dtype)) return widening[dtype] === 'never' ? 'native' : 'widened'
      return dtype === 'float32' ? 'native' : 'none'
    },
    compile: (graph, options = {}) =>
      compile(new Lowering(new addon.Plan(threads), graph, threads, arithmetic), options),
  }
}

/** A convolution in bfloat16 that takes longer than so many times float32's is computed in float32, casts included. */
const WIDENING_PAYS = 1.3

/** Whether the native engine is ready: its description and where its addon is from, or why not and what to type. */
export type OnednnStatus =
  | { readonly available: true; readonly detail: string; readonly addon: AddonOrigin }
  | { readonly available: false; readonly detail: string; readonly problem: string; readonly command?: string }

/**
 * Whether the native engine can be used, with its description, or the reason why not.
 * @throws EngineError where the addon that FOVEA_ONEDNN_ADDON names does not load: who names one does not want another engine
 */
export function onednnStatus(): OnednnStatus {
  try {
    const { source, path, passedOver } = findAddon()
    return { available: true, detail: onednnEngine().description, addon: { source, path, passedOver } }
  } catch (error) {
    if (process.env['FOVEA_ONEDNN_ADDON']) throw error
    const detail = error instanceof Error ? error.message : String(error)
    if (!(error instanceof NoAddonError)) return { available: false, detail, problem: detail }
    return { available: false, detail, problem: error.problem, command: error.command }
  }
}

/** What one step of a program does, and when it did so in the last profiled run. */
export interface StepProfile {
  readonly node: Node
  /** A kernel's name, or oneDNN's name of the implementation. */
  readonly implementation: string
  /** Of the convolutions and matrix products. */
  readonly multiplyAdds: number
  /** That it reads and writes, from wherever they are. */
  readonly bytes: number
  /** One for each thread and slice, in seconds from the run's begin. */
  readonly executions: readonly { readonly thread: number; readonly start: number; readonly duration: number }[]
}

/** A program of this engine: adds a profile to the common interface. */
export interface OnednnProgram extends Program {
  /** Whether the runs that follow are measured step by step. */
  profiling: boolean
  /** The steps of the last measured run, in their order. */
  profile(): StepProfile[]
}

function compile(lowering: Lowering, options: CompileOptions): OnednnProgram {
  const { plan, graph, threads } = lowering
  chooseWeightLayouts(lowering)
  chooseWideStorage(lowering)
  for (const node of graph.nodes) if (isLeaf(node)) lowering.leaf(node)
  for (const node of graph.nodes) {
    if (isLeaf(node)) continue
    if (!isOpName(node.op)) throw new EngineError(`the oneDNN engine has no operator '${node.op}' ('${node.name}')`)
    lowering.begin(node)
    const entry = lowerings[node.op]
    const lower = typeof entry === 'function' ? entry : entry.lower
    lower(lowering, lowering.current)
    lowering.end(node)
  }
  const outputs = lowering.finish()
  const inputs = inputNodes(graph).map(node => lowering.state(node).buffer)
  const loops = gatherLoops(lowering.steps)
  const placement = placeBuffers(loops, lowering.buffers, inputs, outputs, threads)
  const memory = { arenaBytes: placement.arenaBytes, stateBytes: placement.stateBytes }
  checkMemory(memory, graph, options)
  const index = new Map(lowering.buffers.map((buffer, i) => [buffer, i]))
  const places = lowering.buffers.map(buffer => {
    const { state, offset, bytes, threadStride } = placement.places.get(buffer)!
    return [state ? 1 : 0, offset, bytes, threadStride] as const
  })
  plan.build(memory.arenaBytes, memory.stateBytes, places, nativeLoops(loops, placement.places, index))
  return new NativeProgram(
    plan,
    lowering,
    index,
    loops.flatMap(({ steps }) => steps),
    memory,
  )
}

/** The loops with buffers as indices, as the addon takes them. */
function nativeLoops(
  loops: readonly Loop[],
  places: Placement['places'],
  index: ReadonlyMap<Buffer, number>,
): NativeLoop[] {
  const cleared = new Set<Buffer>()
  return loops.map(({ slices, imagesPerSlice, steps }) => {
    const touched = new Set(steps.flatMap(({ operands }) => operands.flatMap(operand => operand?.buffer ?? [])))
    const zeroed = [...touched].filter(buffer => buffer.zeroed && !cleared.has(buffer))
    for (const buffer of zeroed) cleared.add(buffer)
    /** What lives in a thread's own room holds one slice at a time. */
    const stride = ({ buffer, sliced }: Operand): number =>
      sliced && slices > 0 && places.get(buffer)!.threadStride === 0 ? buffer.bytes / slices : 0
    return {
      slices,
      imagesPerSlice,
      zeroed: zeroed.map(buffer => index.get(buffer)!),
      steps: steps.map(({ kernel, primitive, operands, ints, floats, once }) => ({
        ...(kernel === undefined ? { primitive: primitive! } : { kernel }),
        buffers: operands.map(operand => (operand === undefined ? -1 : index.get(operand.buffer)!)),
        strides: operands.map(operand => (operand === undefined ? 0 : stride(operand))),
        ints,
        floats,
        once,
      })),
    }
  })
}

/** Kernels of ours that do what a convolution would. */
const MULTIPLY_ADDS = ['weightGradient', 'depthwiseWeightGradient']

class NativeProgram implements OnednnProgram {
  profiling = false
  #stateWritten = true
  readonly #inputs: readonly Node[]
  readonly #states: ReadonlyMap<string, Node>

  constructor(
    readonly plan: NativePlan,
    readonly lowering: Lowering,
    readonly index: ReadonlyMap<Buffer, number>,
    /** In the order in which they run. */
    readonly steps: readonly Step[],
    readonly memory: Program['memory'],
  ) {
    this.#inputs = inputNodes(lowering.graph)
    this.#states = new Map(lowering.graph.nodes.filter(isState).map(node => [node.name, node]))
    for (const node of lowering.graph.nodes) {
      if (node.op === 'constant') this.#fill(node, node.attrs['value'] as number)
    }
  }

  async run(feeds: Feeds): Promise<Outputs> {
    const transfers = this.#inputs.map((node): Transfer => {
      const data = hostArray(node, feeds[node.name])
      return [this.index.get(this.lowering.state(node).buffer)!, data]
    })
    for (const name of Object.keys(feeds)) {
      if (!this.#inputs.some(node => node.name === name)) {
        const names = this.#inputs.map(node => node.name).join(', ')
        throw new InvalidArgumentError(`the graph has no input '${name}'; its inputs are ${names}`)
      }
    }
    const outputs: Record<string, HostArray> = {}
    const results = [...this.lowering.graph.outputs].map(([name, value]): Transfer => {
      const array = emptyArray(value.type)
      outputs[name] = array
      return [this.index.get(this.lowering.read(value).buffer)!, array]
    })
    const refresh = this.#stateWritten
    this.#stateWritten = false
    await this.plan.run(transfers, results, this.profiling, refresh)
    return outputs
  }

  async read(name: string): Promise<HostArray> {
    const node = this.#state(name)
    const array = emptyArray(node.outputs[0])
    this.plan.read(...this.#place(node), array)
    return array
  }

  async write(name: string, data: HostArray): Promise<void> {
    const node = this.#state(name)
    this.plan.write(...this.#place(node), hostArray(node, data))
    this.#stateWritten = true
  }

  profile(): StepProfile[] {
    const executions: { thread: number; start: number; duration: number }[][] = this.steps.map(() => [])
    const events = this.plan.events()
    for (let i = 0; i < events.length; i += 4) {
      executions[events[i]].push({ thread: events[i + 1], start: events[i + 2], duration: events[i + 3] })
    }
    return this.steps.map((step, i) => {
      const { node, implementation } = step
      const types = node.inputs.map(input => input.type)
      const arithmetic =
        !implementation.startsWith(REORDER) && (step.primitive !== undefined || MULTIPLY_ADDS.includes(implementation))
      const multiplyAdds = arithmetic ? (opDefinition(node.op).multiplyAdds?.(types, node.outputs, node.attrs) ?? 0) : 0
      const lasting = step.operands.flatMap(operand => (operand && !operand.buffer.scratch ? operand.buffer.bytes : []))
      const bytes = lasting.reduce((sum, value) => sum + value, 0)
      return { node, implementation, multiplyAdds, bytes, executions: executions[i] }
    })
  }

  dispose(): void {
    this.plan.dispose()
  }

  #state(name: string): Node {
    const node = this.#states.get(name)
    if (node === undefined) throw new InvalidArgumentError(`the program has no parameter or buffer '${name}'`)
    return node
  }

  /** Buffer, layout and dense layout of a state; two equal numbers mean a plain copy. */
  #place(node: Node): [number, number, number] {
    const { buffer, layout, groups } = this.lowering.state(node)
    const index = this.index.get(buffer)!
    return layout === 'dense' ? [index, -1, -1] : [index, layout, this.lowering.denseLayoutOf(node, groups)]
  }

  #fill(node: Node, value: number): void {
    const [{ shape, dtype }] = node.outputs
    const bits = isHalf(dtype) && encodeHalf(new Array<number>(elements(shape)).fill(value), dtype)
    this.plan.write(...this.#place(node), bits || emptyArray(node.outputs[0]).fill(value))
  }
}

function emptyArray({ shape, dtype }: TensorType): HostArray {
  const length = elements(shape)
  if (dtype === 'int32') return new Int32Array(length)
  if (dtype === 'uint8') return new Uint8Array(length)
  if (dtype === 'float32') return new Float32Array(length)
  throw new EngineError(`${dtype} cannot leave the oneDNN engine: cast it to float32 in the graph`)
}

/** Checks what is fed or written against the node's type; turns a number into a scalar. */
function hostArray(node: Node, data: HostArray | number | undefined): HostArray {
  const { shape, dtype } = node.outputs[0]
  const expected = `${dtype} ${formatShape(shape)}`
  if (data === undefined) throw new InvalidArgumentError(`input '${node.name}' is missing: expected ${expected}`)
  const empty = emptyArray(node.outputs[0])
  if (typeof data === 'number' && shape.length === 0) return empty.fill(data)
  if (typeof data === 'number' || data.length !== empty.length) {
    const got = typeof data === 'number' ? 'a number' : `${data.length} values`
    throw new InvalidArgumentError(`'${node.name}' expects ${expected} (${empty.length} values), got ${got}`)
  }
  if (data.constructor === empty.constructor) return data
  if (data instanceof Float64Array && dtype === 'float32') return Float32Array.from(data)
  throw new InvalidArgumentError(`'${node.name}' expects ${expected}, got a ${data.constructor.name}`)
}
