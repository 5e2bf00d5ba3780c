/** @file Other values for single settings of a run, by the paths under which `fovea train --explain` prints them. */
import { nearestHint, SettingError } from '../errors.js'
import { describeValue, isRecord } from '../settings/describe.js'
import type { Table } from '../settings/group.js'
import { custom } from '../settings/kinds.js'
import { type Presence, type Setting, unexpected, within } from '../settings/setting.js'
import { type ResolvedSettings, runSettings, trainingSettings } from './settings-table.js'

export type SettingValue = number | string | boolean

const byPath = "values by path, such as { 'optimizer.momentum': 0.8 }"

/** What stands where single values are given; each is checked when its place is found. */
export const overrideSetting: Setting<Readonly<Record<string, SettingValue>>> = custom(
  'other values for single settings',
  byPath,
  (value, path) => {
    if (!isRecord(value)) throw unexpected(path, byPath, value)
    return value as Readonly<Record<string, SettingValue>>
  },
)

/** A place in the settings, and the setting that says what may stand there. */
interface Place {
  readonly path: string
  readonly owner: Record<string, unknown>
  readonly name: string
  readonly setting: Setting<unknown, Presence>
}

/**
 * @param values by path: `optimizer.momentum`, `groups.0.rate`, `schedule.milestones.1`; `none` leaves out what can be
 * @returns the settings with these values
 * @throws SettingError for a path that no setting has, or a value that its setting does not take
 */
export function overridden(
  settings: ResolvedSettings,
  values: Readonly<Record<string, SettingValue>>,
): ResolvedSettings {
  const copy = copyOf(settings) as Record<string, unknown>
  for (const [path, value] of Object.entries(values)) set(copy, path, value)
  return runSettings.parse(copy, '')
}

/** Settings are plain data. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, copyOf(entry)]))
}

function set(settings: Record<string, unknown>, path: string, value: SettingValue): void {
  const at = within('override', path)
  const places = placesOf(trainingSettings, settings, '')
  const place = places.find(place => place.path === path)
  if (place === undefined) {
    const single = places.filter(({ setting }) => !hasParts(setting)).map(({ path }) => path)
    throw new SettingError(at, `unknown setting${nearestHint(path, single)}`)
  }
  const { owner, name, setting } = place
  if (value === 'none' && setting.presence === 'optional') {
    delete owner[name]
    return
  }
  if (hasParts(setting)) {
    const part = places.find(place => place.path.startsWith(`${path}.`))?.path
    throw new SettingError(
      at,
      `expected one of its parts${part ? `, such as ${part}` : ''}, got ${describeValue(value)}`,
    )
  }
  owner[name] = setting.parse(value, at)
}

const hasParts = ({ kind }: Place['setting']): boolean => ['group', 'variants', 'list'].includes(kind.type)

/** All places of a table: those that hold something, and those where something may be. */
const placesOf = (rows: Table, owner: Record<string, unknown>, path: string): Place[] =>
  Object.entries(rows).flatMap(([name, setting]) => {
    const place = { path: within(path, name), owner, name, setting }
    return [place, ...partsOf(place)]
  })

/** The places within one. What kind of options it holds (`type`) stays: the others belong to that kind. */
function partsOf({ path, owner, name, setting: { kind } }: Place): Place[] {
  const value = owner[name] as Record<string, unknown> | undefined
  if (value === undefined) return []
  if (kind.type === 'group') return placesOf(kind.rows, value, path)
  if (kind.type === 'variants') return placesOf(kind.variants[String(value['type'])], value, path)
  if (kind.type !== 'list') return []
  return Object.keys(value).flatMap(index => {
    const place = { path: within(path, index), owner: value, name: index, setting: kind.of }
    return [place, ...partsOf(place)]
  })
}
