/** @file Which engine a command runs on: the one asked for, or the best that this machine has, said aloud when it is slow. */

import { type Command, Option } from 'commander'
import { type Engine, EngineError, referenceEngine } from 'fovea'
import { MOST_THREADS, onednnEngine, onednnStatus } from 'fovea-onednn'
import { type Simd, simdVariants, type WasmEngine, wasmEngine } from 'fovea-wasm'
import type { Output } from './output.js'
import { oneOf, type PrecisionName, UsageError, wholeNumber } from './usage.js'

/** The best first. */
export const engineNames = ['onednn', 'wasm', 'reference'] as const
export type EngineName = (typeof engineNames)[number]

export interface EngineOptions {
  readonly engine?: EngineName | undefined
  /** Of the engines that have some. Default: one a core. */
  readonly threads?: number | undefined
  /** Of the engine in WebAssembly. Default: relaxed where there is relaxed SIMD. */
  readonly simd?: Simd | undefined
}

/**
 * @param precision float64 runs on the reference engine only
 * @throws EngineError when the engine asked for is not there; UsageError for an option that it does not have
 */
export function openEngine(
  { engine, threads, simd }: EngineOptions,
  output: Output,
  precision: PrecisionName = 'float32',
): Engine {
  if (simd !== undefined && engine !== 'wasm') throw new UsageError('--simd is for --engine wasm')
  if (precision === 'float64') {
    if (engine === 'onednn' || engine === 'wasm')
      throw new EngineError('float64 is computed by the reference engine: use --engine reference')
    return referenceEngine({ precision })
  }
  if (engine === 'reference') return referenceEngine()
  const asked = threads === undefined ? {} : { threads }
  if (engine === 'wasm') return wasmEngine({ ...asked, ...(simd && { simd }) })
  const status = onednnStatus()
  if (status.available) {
    const { source, passedOver } = status.addon
    for (const problem of passedOver) output.warn(`${problem}; running with ${source}`)
    return onednnEngine(asked)
  }
  if (engine === 'onednn') throw new EngineError(status.detail)
  const { engine: slower, problem } = engineWithoutAddon(asked)
  output.warn(
    problem === undefined
      ? `running in WebAssembly, slower than the native engine, because ${status.detail}`
      : `running on the reference engine, hundreds of times slower, because ${status.detail}, and ${problem}`,
  )
  return slower
}

/**
 * What runs without the native engine: an installation whose WebAssembly files are damaged still works.
 * @returns the engine in WebAssembly; or the reference engine, and why it is not that
 */
export function engineWithoutAddon(asked: { readonly threads?: number } = {}): {
  readonly engine: Engine
  readonly problem?: string
} {
  try {
    return { engine: wasmEngine(asked) }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    return { engine: referenceEngine(), problem: error.message }
  }
}

/** What asks for the same engine again: what a run's bits depend on. */
export const askedOf = (engine: Engine) => ({
  engine: engine.name as EngineName,
  threads: engine.threads,
  ...(isWasm(engine) && { simd: engine.simd }),
})

const isWasm = (engine: Engine): engine is WasmEngine => engine.name === 'wasm'

/** Which engine goes on with work. @param now what is asked for; the rest stays as it was */
export function resumedEngine(was: EngineOptions, now: EngineOptions): Required<EngineOptions> {
  const { engine = was.engine, threads = was.threads, simd = engine === was.engine ? was.simd : undefined } = now
  return { engine, threads, simd }
}

/** The names of these options. */
export const engineOptionNames = ['--engine', '--threads', '--simd']

/** The options of every command that runs an engine. */
export const withEngineOptions = (command: Command): Command =>
  command
    .option(
      '--engine <name>',
      `${engineNames.join(', ')} (default: the native one if it is ready, else wasm)`,
      oneOf('--engine', engineNames),
    )
    .option('--threads <n>', 'threads of the engine (default: one per core)', wholeNumber('--threads', 1, MOST_THREADS))
    .addOption(
      new Option(
        '--simd <name>',
        `${simdVariants.join(' or ')}, of the wasm engine, which it asks for: plain gives the same bits on every machine (default: relaxed, which is faster, where there is)`,
      )
        .argParser(oneOf('--simd', simdVariants))
        .implies({ engine: 'wasm' }),
    )
