/** @file Patterns over names of nodes: how options say which layers or parameters they mean. */

/** Whether a pattern fits a whole name: `*` stands for any characters, `?` for any one. */
export function matches(pattern: string, name: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.')
  return new RegExp(`^${escaped}$`, 's').test(name)
}
