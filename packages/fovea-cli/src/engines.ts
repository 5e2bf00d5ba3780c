/** @file Which engine a command runs on: the one asked for, or the best that this machine has, said aloud when it is slow. */
import { type Engine, EngineError, referenceEngine } from 'fovea'
import { onednnEngine, onednnStatus } from 'fovea-onednn'
import type { Output } from './output.js'

export const engineNames = ['onednn', 'reference'] as const
export type EngineName = (typeof engineNames)[number]

export interface EngineOptions {
  readonly engine?: EngineName
  /** Of the native engine. Default: one a core. */
  readonly threads?: number
  /** float64 runs on the reference engine only. */
  readonly precision?: 'float32' | 'float64'
}

/**
 * @throws EngineError when the engine asked for is not there
 */
export function openEngine({ engine, threads, precision = 'float32' }: EngineOptions, output: Output): Engine {
  if (precision === 'float64') {
    if (engine === 'onednn')
      throw new EngineError('float64 is computed by the reference engine: use --engine reference')
    return referenceEngine({ precision })
  }
  if (engine === 'reference') return referenceEngine()
  const { available, detail } = onednnStatus()
  if (available) return onednnEngine(threads === undefined ? {} : { threads })
  if (engine === 'onednn') throw new EngineError(`the onednn engine is not ready: ${detail}; run \`npm run setup\``)
  output.warn(`the native engine is not ready (${detail}): running on the slow reference engine`)
  return referenceEngine()
}
