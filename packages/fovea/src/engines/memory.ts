/** @file The memory limit that every engine keeps to, and its message. */
import { EngineError } from '../errors.js'
import type { CompileOptions, Program } from './engine.js'

/** '3.20 GiB', '512 KiB', '17 bytes'. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length)
  const value = bytes / 1024 ** power
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${units[power - 1]}`
}

/** @throws EngineError with the sizes, if the program needs more than the limit */
export function checkMemory({ arenaBytes, stateBytes }: Program['memory'], { memoryLimitBytes }: CompileOptions): void {
  const needed = arenaBytes + stateBytes
  if (memoryLimitBytes === undefined || needed <= memoryLimitBytes) return
  const parts = `${formatBytes(arenaBytes)} for activations, ${formatBytes(stateBytes)} for state`
  throw new EngineError(
    `the graph needs ${formatBytes(needed)} of memory (${parts}), the limit is ${formatBytes(memoryLimitBytes)}; a smaller batch needs less`,
  )
}
