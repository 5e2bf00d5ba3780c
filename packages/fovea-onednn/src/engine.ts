/** @file The oneDNN engine: compiles a graph into a native plan; a program runs it on the addon's own thread. */
import {
  type CompileOptions,
  checkMemory,
  compileOptions,
  type Engine,
  EngineError,
  graphOf,
  group,
  inputNodes,
  isHalf,
  isLeaf,
  isOpName,
  type Rows,
  whole,
} from 'fovea/engine'
import type { NativeLoop } from './addon.js'
import { arithmeticOf } from './arithmetic.js'
import { allowedCores } from './cores.js'
import { type AddonOrigin, findAddon, NoAddonError } from './find-addon.js'
import { finish } from './finish.js'
import { gatherLoops, type Loop } from './loops.js'
import { Lowering } from './lowering.js'
import { type Placement, placeBuffers } from './memory.js'
import { chooseWideStorage } from './operators/convolution.js'
import { lowerings } from './operators/index.js'
import { chooseWeightLayouts } from './operators/weight-layout.js'
import { NativeProgram, type OnednnProgram } from './program.js'
import type { Buffer, Operand } from './steps.js'

/** What an engine is made with; all programs that it compiles share it. */
export interface OnednnOptions {
  /** Threads of the native pool. Default: the physical cores that this process may use. */
  readonly threads?: number
}

/** More than any processor of today has cores; the system may refuse more threads than that with a crash. */
export const MOST_THREADS = 512

const onednnOptions = group('the native engine', {
  threads: whole('threads of the native pool (default: one for each physical core)', {
    from: 1,
    to: MOST_THREADS,
  }).optional(),
} satisfies Rows<OnednnOptions>)

/**
 * The native engine: float32 and the 16-bit floats over oneDNN's convolutions and our own kernels.
 * @throws SettingError for an option that there is not, or another number of threads; NoAddonError when there is no addon or none loads, saying what to do
 */
export function onednnEngine(options: OnednnOptions = {}): Engine {
  const asked = onednnOptions.parse(options, '')
  const cores = allowedCores() // Before the OpenMP runtime is loaded, which may bind this thread to one of them.
  const { addon } = findAddon()
  const info = addon.info()
  const { version, instructionSet, threadLimit } = info
  const { threads = Math.min(cores, threadLimit) } = asked
  if (threads > threadLimit) {
    throw new EngineError(
      `OpenMP gives this process at most ${threadLimit} thread${threadLimit === 1 ? '' : 's'} (OMP_THREAD_LIMIT, OMP_MAX_ACTIVE_LEVELS), not ${threads}`,
    )
  }
  const arithmetic = arithmeticOf(info)
  const { widening } = arithmetic
  return {
    name: 'onednn',
    description: `onednn ${version} (${instructionSet}, ${threads} thread${threads === 1 ? '' : 's'})`,
    threads,
    arithmetic: dtype => {
      if (isHalf(dtype)) return widening[dtype]('forward', false) === 'never' ? 'native' : 'widened'
      return dtype === 'float32' ? 'native' : 'none'
    },
    compile: (graph, options = {}) =>
      compile(
        new Lowering(new addon.Plan(threads), graphOf(graph), threads, arithmetic),
        compileOptions.parse(options, ''),
      ),
  }
}

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

function compile(lowering: Lowering, options: CompileOptions): OnednnProgram {
  const { plan, graph, threads, storage } = lowering
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
    storage.endReads(node)
  }
  const outputs = finish(lowering)
  const inputs = inputNodes(graph).map(node => storage.leafOf(node).buffer)
  const loops = gatherLoops(lowering.steps)
  const placement = placeBuffers(loops, storage.buffers, inputs, [...outputs.values()], threads)
  const memory = { arenaBytes: placement.arenaBytes, stateBytes: placement.stateBytes }
  checkMemory(memory, graph, options)
  const index = new Map(storage.buffers.map((buffer, i) => [buffer, i]))
  const places = storage.buffers.map(buffer => {
    const { state, offset, bytes, threadStride } = placement.places.get(buffer)!
    return [state ? 1 : 0, offset, bytes, threadStride] as const
  })
  plan.build(memory.arenaBytes, memory.stateBytes, places, nativeLoops(loops, placement.places, index))
  return new NativeProgram(
    plan,
    lowering,
    index,
    outputs,
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
