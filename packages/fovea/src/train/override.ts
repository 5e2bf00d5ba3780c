/** @file Other values for single settings of a run, by the paths under which `fovea train --explain` prints them. */
import { InvalidArgumentError, unknownName } from '../errors.js'

export type SettingValue = number | string | boolean

/** What a run can do without: these are removed by the value `none`. */
const removable = /^(augmentation\.\w+|average|clipNorm|earlyStopping|classWeights)$/

/**
 * @param values by path: `optimizer.momentum`, `groups.0.rate`, `schedule.milestones.1`
 * @returns a copy of the settings with these values
 * @throws InvalidArgumentError for a path that the settings do not have, or a value of another type than theirs
 */
export function overridden<T extends object>(settings: T, values: Readonly<Record<string, SettingValue>>): T {
  const copy = copyOf(settings)
  for (const [path, value] of Object.entries(values)) set(copy as Settings, path, value)
  return copy
}

/** Settings are plain data. */
function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOf) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, copyOf(entry)])) as T
}

interface Settings {
  [name: string]: SettingValue | Settings | undefined
}

function set(settings: Settings, path: string, value: SettingValue): void {
  const parts = path.split('.')
  const last = parts.pop()!
  let owner = settings
  for (const part of parts) {
    const next = Object.hasOwn(owner, part) ? owner[part] : undefined
    if (typeof next !== 'object') throw unknownName('setting', path, pathsOf(settings))
    owner = next
  }
  if (!Object.hasOwn(owner, last)) throw unknownName('setting', path, pathsOf(settings))
  if (value === 'none' && removable.test(path)) {
    delete owner[last]
    return
  }
  const before = owner[last]
  if (typeof before !== typeof value) {
    const expected = typeof before === 'object' ? 'one of its parts' : `a ${typeof before} (it is ${before})`
    throw new InvalidArgumentError(`setting '${path}' takes ${expected}, not '${value}'`)
  }
  owner[last] = value
}

const pathsOf = (settings: Settings, prefix = ''): string[] =>
  Object.entries(settings).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null ? pathsOf(value, `${prefix}${name}.`) : [prefix + name],
  )
