/** @file The engine in WebAssembly: compiles a graph into a plan; threads of its own run it, so that the caller's stays free. */
import {
  checkMemory,
  choice,
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
import { hasRelaxedSimd, loadModule, readModule, type Simd, simdVariants } from './module.js'
import { processors, sharesMemory } from './platform.js'
import { WasmProgram } from './program.js'
import { MOST_THREADS, teamOf } from './team.js'

/** What an engine is made with; all programs that it compiles share it. */
export interface WasmOptions {
  /** Default: as many as run at the same time here. */
  readonly threads?: number
  /**
   * `plain`: the same bits on every machine. `relaxed`: products that are rounded once where the processor does so, which is faster.
   * Default: `relaxed` where there is relaxed SIMD.
   */
  readonly simd?: Simd
}

/** The engine in WebAssembly. */
export interface WasmEngine extends Engine {
  /** Which instructions it uses: beside the threads, what its bits depend on. */
  readonly simd: Simd
}

const wasmOptions = group('the engine in WebAssembly', {
  threads: whole('threads (default: as many as run at the same time here)', { from: 1, to: MOST_THREADS }).optional(),
  simd: choice('which instructions it uses (default: relaxed where there are)', simdVariants).optional(),
} satisfies Rows<WasmOptions>)

/**
 * The engine in WebAssembly: float32, integers, and the 16-bit floats as storage. Nothing is built or installed for it.
 * @throws SettingError for an option that there is not, or another number of threads; EngineError where the WebAssembly cannot be used,
 * for relaxed SIMD where there is none, and in a page (loadWasmEngine)
 */
export function wasmEngine(options: WasmOptions = {}): WasmEngine {
  const { threads, simd } = settled(options)
  return engineOf(threads, simd, () => readModule(simd))
}

/**
 * The same engine, in a page too, whose files are fetched from where this package lies. There, threads need a page that is cross-origin
 * isolated; else it computes on the thread that asks.
 * @throws as wasmEngine; EngineError for more threads than one in a page that is not isolated
 */
export async function loadWasmEngine(options: WasmOptions = {}): Promise<WasmEngine> {
  const { threads, simd } = settled(options)
  const module = await loadModule(simd)
  return engineOf(threads, simd, () => module)
}

function settled(options: WasmOptions): Required<WasmOptions> {
  const asked = wasmOptions.parse(options, '')
  const { threads = Math.min(MOST_THREADS, processors()), simd = hasRelaxedSimd() ? 'relaxed' : 'plain' } = asked
  if (simd === 'relaxed' && !hasRelaxedSimd())
    throw new EngineError(
      "there is no relaxed SIMD here (Node has it from version 21 on): take simd 'plain' (--simd plain)",
    )
  if (threads > 1 && !sharesMemory())
    throw new EngineError(
      `threads: ${threads} need a page that is cross-origin isolated (the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp); this one has 1`,
    )
  return { threads, simd }
}

/** @param read is called if there is no such team yet */
function engineOf(threads: number, simd: Simd, read: () => WebAssembly.Module): WasmEngine {
  const team = teamOf(threads, simd, read)
  return {
    name: 'wasm',
    description: `wasm (${simd === 'relaxed' ? 'relaxed SIMD' : 'SIMD'}, ${threads} thread${threads === 1 ? '' : 's'})`,
    threads,
    simd,
    weightBits: 8,
    arithmetic: dtype => {
      if (dtype === 'float32' || dtype === 'int8') return 'native'
      return isHalf(dtype) ? 'widened' : 'none'
    },
    async compile(given, asked = {}) {
      const graph = graphOf(given)
      const plan = makePlan(graph, new KernelTarget('wasm', threads), compileOptions.parse(asked, ''))
      checkMemory(plan.memory, graph, { memoryLimitBytes: team.heap.roomBytes })
      return new WasmProgram(team, plan)
    },
  }
}
