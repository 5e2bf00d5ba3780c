/** @file An engine, and what a compilation and a run may be asked for, as settings. */
import { unknownName } from '../errors.js'
import type { Graph, Value } from '../graph/graph.js'
import { isRecord } from '../settings/describe.js'
import { group, type Rows } from '../settings/group.js'
import { custom, list, number, text, thing } from '../settings/kinds.js'
import { unexpected } from '../settings/setting.js'
import type { CompileOptions, Engine, Feeds } from './engine.js'

const expected = 'an engine, as await defaultEngine() or referenceEngine() gives one'

const isEngine = (value: unknown): value is Engine =>
  typeof value === 'object' &&
  value !== null &&
  ['compile', 'arithmetic'].every(part => typeof (value as Record<string, unknown>)[part] === 'function')

const required = custom(
  'what computes (default: the native engine where it is built, else that in WebAssembly)',
  expected,
  (value, path) => {
    if (!isEngine(value)) throw unexpected(path, expected, value, remedyFor(value))
    return value
  },
)

export const engine = required.optional()

/** @throws SettingError for what is no engine */
export const engineOf = (value: unknown): Engine => required.parse(value, 'engine')

function remedyFor(value: unknown): string | undefined {
  if (value === 'reference' || value === 'onednn' || value === 'wasm') return `write ${value}Engine()`
  return typeof value === 'function' ? 'call it' : undefined
}

export const compileSettings = {
  memoryLimitBytes: number('the most bytes that a program may need (default: what is free)', { above: 0 }).optional(),
} satisfies Rows<CompileOptions>

/** The table of `CompileOptions`. */
export const compileOptions = group('one compilation', compileSettings)

const byName = 'arrays by the names of the inputs'

const feeds = thing('what a run is given', 'other', byName, (value): value is Feeds => isRecord(value))

/** @throws SettingError for what holds no arrays by name */
export const feedsOf = (value: unknown): Feeds => feeds.parse(value, 'feeds')

const outputNames = list('that are wanted (default: all)', 'names of outputs', text('of an output')).optional()

/** Outputs by name. */
export type WantedOutputs = readonly (readonly [name: string, value: Value])[]

/**
 * The outputs of a graph that a run is asked for.
 * @throws SettingError for what is no list of names; InvalidArgumentError for a name that no output has
 */
export function wantedOutputs({ outputs }: Graph, wanted: unknown): WantedOutputs {
  const names = outputNames.parse(wanted, 'outputs') ?? [...outputs.keys()]
  return names.map(name => {
    const value = outputs.get(name)
    if (value === undefined) throw unknownName('output', name, [...outputs.keys()])
    return [name, value]
  })
}

const stateName = text('of a parameter or buffer')

/** @throws SettingError for what is no name */
export const stateNameOf = (value: unknown): string => stateName.parse(value, 'name')
