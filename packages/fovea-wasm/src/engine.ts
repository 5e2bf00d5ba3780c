/** @file The engine in WebAssembly: compiles a graph into a plan; threads of its own run it, so that the caller's stays free. */
import {
  checkMemory,
  choice,
  compileOptions,
  type Engine,
  graphOf,
  group,
  isHalf,
  makePlan,
  type Rows,
  whole,
} from 'fovea/engine'
import { hasRelaxedSimd, readModule, type Variant } from './module.js'
import { builtin } from './platform.js'
import { WasmProgram } from './program.js'
import { MOST_THREADS, teamOf } from './team.js'
import { WasmTarget } from './wasm-target.js'

/** What an engine is made with; all programs that it compiles share it. */
export interface WasmOptions {
  /** Default: as many as run at the same time here. */
  readonly threads?: number
  /**
   * `plain`: the same bits on every machine. `relaxed`: products that are rounded once where the processor does so, which is faster.
   * Default: `relaxed` where there is relaxed SIMD.
   */
  readonly simd?: Variant
}

const wasmOptions = group('the engine in WebAssembly', {
  threads: whole('threads (default: as many as run at the same time here)', { from: 1, to: MOST_THREADS }).optional(),
  simd: choice('which instructions it uses (default: relaxed where there are)', ['relaxed', 'plain']).optional(),
} satisfies Rows<WasmOptions>)

/**
 * The engine in WebAssembly: float32, and the 16-bit floats as storage. Nothing is built or installed for it.
 * @throws SettingError for an option that there is not, or another number of threads; EngineError where the WebAssembly cannot be used
 */
export function wasmEngine(options: WasmOptions = {}): Engine {
  const asked = wasmOptions.parse(options, '')
  const { threads = Math.min(MOST_THREADS, processors()), simd = hasRelaxedSimd() ? 'relaxed' : 'plain' } = asked
  const team = teamOf(threads, simd, () => readModule(simd))
  return {
    name: 'wasm',
    description: `wasm (${simd === 'relaxed' ? 'relaxed SIMD' : 'SIMD'}, ${threads} thread${threads === 1 ? '' : 's'})`,
    threads,
    arithmetic: dtype => {
      if (dtype === 'float32') return 'native'
      return isHalf(dtype) || dtype === 'int8' ? 'widened' : 'none'
    },
    compile(given, asked = {}) {
      const graph = graphOf(given)
      const target = new WasmTarget(threads)
      const plan = makePlan(graph, target, compileOptions.parse(asked, ''))
      checkMemory(plan.memory, graph, { memoryLimitBytes: team.heap.roomBytes })
      return new WasmProgram(team, plan, target.layouts)
    },
  }
}

const processors = (): number => builtin('node:os')?.availableParallelism() ?? 1
