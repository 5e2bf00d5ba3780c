/**
 * @file What a setting is: one line about it, which values it takes, and what holds where it is not given. Options of the
 * library are tables of settings (group.ts), by which they are read once, at the border; who calls from plain JavaScript,
 * or by the command line, is told which setting is wrong, what was expected and what was given.
 */
import { SettingError } from '../errors.js'
import { describeValue } from './describe.js'
import type { Kind } from './kinds.js'

/** What is to be said of a setting that is not given: it is missing, it may be, or it has a value even so. */
export type Presence = 'required' | 'optional' | 'default'

/**
 * Reads a value that may be anything.
 * @param path where it was given: `optimizer.momentum`
 * @throws SettingError naming the path, for what is no such value
 */
export type Read<T> = (value: unknown, path: string) => T

/** A row of a table of options. */
export class Setting<T, P extends Presence = 'required'> {
  constructor(
    /** One line for people. */
    readonly about: string,
    /** Which values it takes, as data: what the command line makes an option of. */
    readonly kind: Kind,
    /** The same in words: `a number from 0 to below 1`. */
    readonly expected: string,
    readonly read: Read<T>,
    readonly presence: P,
    readonly fallback?: T,
  ) {}

  /** The value that holds where none is given. */
  default(value: T): Setting<T, 'default'> {
    return new Setting(this.about, this.kind, this.expected, this.read, 'default', value)
  }

  /** The same, but it need not be given: what reads it knows what that means. */
  optional(): Setting<T, 'optional'> {
    return new Setting(this.about, this.kind, this.expected, this.read, 'optional')
  }

  /** The same, with a check of what its kind cannot tell, which throws. */
  refine(check: (value: T, path: string) => void): Setting<T, P> {
    const read: Read<T> = (value, path) => {
      const result = this.read(value, path)
      check(result, path)
      return result
    }
    return new Setting(this.about, this.kind, this.expected, read, this.presence, this.fallback)
  }

  /** @throws SettingError naming the path, for a value that the setting does not take */
  parse(value: unknown, path: string): Parsed<T, P> {
    if (value !== undefined) return this.read(value, path) as Parsed<T, P>
    if (this.presence === 'required')
      throw new SettingError(path === '' ? 'options' : path, `missing; expected ${this.expected}`)
    return this.fallback as Parsed<T, P>
  }
}

/** What a setting comes to. */
export type Parsed<T, P extends Presence> = P extends 'optional' ? T | undefined : T

/** The standard error for a value of the wrong kind. `remedy`: what to do. */
export const unexpected = (path: string, expected: string, value: unknown, remedy?: string): SettingError =>
  new SettingError(
    path,
    `expected ${expected}, got ${describeValue(value)}${remedy === undefined ? '' : `; ${remedy}`}`,
  )

/** The path of a part. */
export const within = (path: string, part: string | number): string => (path === '' ? String(part) : `${path}.${part}`)
