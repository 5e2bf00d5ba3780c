/** @file An engine, and what a compilation may be asked for, as settings. */
import type { Rows } from '../settings/group.js'
import { custom, number } from '../settings/kinds.js'
import { unexpected } from '../settings/setting.js'
import type { CompileOptions, Engine } from './engine.js'

const expected = 'an engine, as await defaultEngine() or referenceEngine() gives one'

const isEngine = (value: unknown): value is Engine =>
  typeof value === 'object' &&
  value !== null &&
  ['compile', 'arithmetic'].every(part => typeof (value as Record<string, unknown>)[part] === 'function')

export const engine = custom(
  'what computes (default: the native engine where it is built)',
  expected,
  (value, path) => {
    if (!isEngine(value)) throw unexpected(path, expected, value, remedyFor(value))
    return value
  },
).optional()

function remedyFor(value: unknown): string | undefined {
  if (value === 'reference' || value === 'onednn') return `write ${value}Engine()`
  return typeof value === 'function' ? 'call it' : undefined
}

export const compileSettings = {
  memoryLimitBytes: number('the most bytes that a program may need (default: what is free)', { above: 0 }).optional(),
} satisfies Rows<CompileOptions>
