/** @file Patterns over names of nodes: how options say which layers or parameters they mean. */
import { SettingError } from '../errors.js'

/** Whether a pattern fits a whole name: `*` stands for any characters, `?` for any one. */
export function matches(pattern: string, name: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.')
  return new RegExp(`^${escaped}$`, 's').test(name)
}

/**
 * Those of some things that patterns name.
 * @param what a thing is called, and the setting that holds the patterns
 * @throws SettingError for a pattern that matches none: it is misspelt
 */
export function matching<T extends { readonly name: string }>(
  things: readonly T[],
  patterns: readonly string[],
  { what, setting }: { readonly what: string; readonly setting: string },
): Set<T> {
  const misspelt = patterns.find(pattern => !things.some(({ name }) => matches(pattern, name)))
  if (misspelt !== undefined) {
    const some = things.slice(0, 3).map(({ name }) => name)
    throw new SettingError(setting, `'${misspelt}' matches no ${what}; there are ${some.join(', ')}, …`)
  }
  return new Set(things.filter(({ name }) => patterns.some(pattern => matches(pattern, name))))
}
