/** @file The memory limit that every engine keeps to, and its message. */
import { EngineError } from '../errors.js'
import { type Graph, inputNodes } from '../graph/graph.js'
import type { CompileOptions, Program } from './engine.js'

/** '3.20 GiB', '512 KiB', '17 bytes'. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length)
  const value = bytes / 1024 ** power
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${units[power - 1]}`
}

/** What is free, within a container's limit; no browser tells. */
function availableBytes(): number {
  const { process } = globalThis as { process?: { availableMemory?: () => number } }
  return process?.availableMemory?.() ?? Number.POSITIVE_INFINITY
}

/** Two batches of different sizes never need memory in exact proportion. */
const MARGIN = 0.95

/**
 * Refuses a program that needs more than the limit, by default what is free.
 * @throws EngineError with the sizes and a batch size that fits
 */
export function checkMemory(
  { arenaBytes, stateBytes }: Program['memory'],
  graph: Graph,
  { memoryLimitBytes = availableBytes() }: CompileOptions,
): void {
  const needed = arenaBytes + stateBytes
  if (needed <= memoryLimitBytes) return
  const batch = inputNodes(graph)[0]?.outputs[0].shape[0] ?? 1
  const fitting = Math.floor((MARGIN * batch * (memoryLimitBytes - stateBytes)) / arenaBytes)
  const advice = fitting >= 1 ? `a batch of ${fitting} fits` : 'not even a batch of one fits'
  const parts = `${formatBytes(arenaBytes)} for activations, ${formatBytes(stateBytes)} for state`
  throw new EngineError(
    `a batch of ${batch} needs ${formatBytes(needed)} of memory (${parts}), there are ${formatBytes(Math.floor(memoryLimitBytes))}: ${advice}`,
  )
}
