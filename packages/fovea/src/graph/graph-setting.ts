/** @file A graph as an argument: anything may be given, a graph is taken. */
import { typeOf } from '../settings/describe.js'
import { custom } from '../settings/kinds.js'
import { type Setting, unexpected } from '../settings/setting.js'
import type { Graph } from './graph.js'

const expected = "a graph, as a model's `graph` is one"

const isGraph = (value: unknown): value is Graph =>
  typeof value === 'object' &&
  value !== null &&
  Array.isArray((value as Partial<Graph>).nodes) &&
  ['outputs', 'updates'].every(part => typeOf((value as Record<string, unknown>)[part]) === 'Map')

const graph: Setting<Graph> = custom('what is computed', expected, (value, path) => {
  if (isGraph(value)) return value
  const holdsOne = typeof value === 'object' && value !== null && 'graph' in value && isGraph(value.graph)
  throw unexpected(path, expected, value, holdsOne ? 'its `graph` is one' : undefined)
})

/** @throws SettingError for what is no graph */
export const graphOf = (value: unknown): Graph => graph.parse(value, 'graph')
