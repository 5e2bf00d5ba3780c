/** @file The oneDNN engine: compiles a graph into a native plan; a program runs it on the addon's own thread. */
import {
  compileOptions,
  type Engine,
  EngineError,
  graphOf,
  group,
  isHalf,
  KernelTarget,
  makePlan,
  type Rows,
  whole,
} from 'fovea/engine'
import { capabilitiesOf } from './capabilities.js'
import { allowedCores } from './cores.js'
import { type AddonOrigin, findAddon, NoAddonError } from './find-addon.js'
import { OnednnTarget } from './onednn-target.js'
import { NativeProgram } from './program.js'

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
 * The native engine: float32 and the 16-bit floats over oneDNN's convolutions and our own kernels; where oneDNN has no convolutions for
 * the processor, these are ours too.
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
  const capabilities = capabilitiesOf(info)
  const { convolutions, widening, overflows } = capabilities
  return {
    name: 'onednn',
    description: `onednn ${version} (${convolutions ? instructionSet : 'convolutions of ours'}, ${threads} thread${threads === 1 ? '' : 's'})`,
    threads,
    weightBits: overflows(false) ? 7 : 8,
    arithmetic: (dtype, weightBits = 8) => {
      if (isHalf(dtype)) return widening[dtype]('forward', false) === 'never' ? 'native' : 'widened'
      // Weights of 7 bits never overflow.
      if (dtype === 'int8') return weightBits > 7 && overflows(false) ? 'widened' : 'native'
      return dtype === 'float32' ? 'native' : 'none'
    },
    async compile(graph, options = {}) {
      const native = new addon.Plan(threads)
      const target = capabilities.convolutions
        ? new OnednnTarget(native, threads, capabilities)
        : new KernelTarget('oneDNN', threads)
      return new NativeProgram(native, makePlan(graphOf(graph), target, compileOptions.parse(options, '')))
    },
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
