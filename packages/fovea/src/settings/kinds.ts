/** @file The kinds of values that a single setting takes: numbers in a range, names of a list, texts, lists, functions. */
import { nearestHint, oneOf, SettingError } from '../errors.js'
import { typeOf } from './describe.js'
import type { Table } from './group.js'
import { type Presence, type Read, Setting, unexpected, within } from './setting.js'

/** Where a number may lie. */
export interface Range {
  /** At least. */
  readonly from?: number
  /** More than. */
  readonly above?: number
  /** At most. */
  readonly to?: number
  /** Less than. */
  readonly below?: number
}

/** Which values a setting takes. */
export type Kind =
  | { readonly type: 'number'; readonly whole: boolean; readonly range: Range }
  | { readonly type: 'choice'; readonly names: readonly string[] }
  | { readonly type: 'flag' | 'text' | 'function' | 'other' }
  | { readonly type: 'list'; readonly of: Setting<unknown, Presence>; readonly entries: string }
  | { readonly type: 'group'; readonly rows: Table }
  | { readonly type: 'variants'; readonly variants: Readonly<Record<string, Table>> }

/** A finite number. */
export const number = (about: string, range: Range = {}): Setting<number> => numberOf(about, false, range)

/** A whole number. */
export const whole = (about: string, range: Range = {}): Setting<number> => numberOf(about, true, range)

function numberOf(about: string, isWhole: boolean, range: Range): Setting<number> {
  const expected = numberIn(isWhole, range)
  const fits = isWhole ? Number.isSafeInteger : Number.isFinite
  return new Setting(
    about,
    { type: 'number', whole: isWhole, range },
    expected,
    (value, path) => {
      if (typeof value !== 'number' || !fits(value) || !isIn(value, range)) throw unexpected(path, expected, value)
      return value
    },
    'required',
  )
}

/** Whether a number lies in a range. */
export const isIn = (value: number, { from, above, to, below }: Range): boolean =>
  (from === undefined || value >= from) &&
  (above === undefined || value > above) &&
  (to === undefined || value <= to) &&
  (below === undefined || value < below)

/** `a whole number from 1 to 64`, `a number above 0`. */
export function numberIn(isWhole: boolean, { from, above, to, below }: Range): string {
  const kind = isWhole ? 'a whole number' : 'a number'
  if (from !== undefined && to !== undefined) return `${kind} from ${shown(from)} to ${shown(to)}`
  const bounds = [
    ...(from === undefined ? [] : [`of at least ${shown(from)}`]),
    ...(above === undefined ? [] : [`above ${shown(above)}`]),
    ...(to === undefined ? [] : [`at most ${shown(to)}`]),
    ...(below === undefined ? [] : [`below ${shown(below)}`]),
  ]
  return [kind, ...(bounds.length > 0 ? [bounds.join(' and ')] : [])].join(' ')
}

/** One for all: making it takes as long as reading a few files. */
const boundFormat = new Intl.NumberFormat('en-US', { maximumFractionDigits: 12 })
const shown = (bound: number): string => boundFormat.format(bound)

/** One of some names. */
export function choice<const N extends string>(about: string, names: readonly N[]): Setting<N> {
  const expected = oneOf(names.map(name => `'${name}'`))
  return new Setting(
    about,
    { type: 'choice', names },
    expected,
    (value, path) => {
      if (typeof value !== 'string') throw unexpected(path, expected, value)
      const found = names.find(name => name === value)
      if (found === undefined) throw new SettingError(path, `unknown '${value}'${nearestHint(value, names)}`)
      return found
    },
    'required',
  )
}

/** True or false. */
export const flag = (about: string): Setting<boolean> =>
  thing(about, 'flag', 'true or false', (value): value is boolean => typeof value === 'boolean')

/** A text that is not empty. */
export const text = (about: string): Setting<string> =>
  thing(about, 'text', 'a text', (value): value is string => typeof value === 'string' && value !== '')

/** A value that is read by a function of its own. */
export const custom = <T>(about: string, expected: string, read: Read<T>): Setting<T> =>
  new Setting(about, { type: 'other' }, expected, read, 'required')

/** A function to be called. */
export const callback = <F extends (...values: never[]) => unknown>(about: string): Setting<F> =>
  thing(about, 'function', 'a function', (value): value is F => typeof value === 'function')

/**
 * A value that is tested as a whole and taken as it is.
 * @param remedy what to do about another value, where that can be told
 */
export function thing<T>(
  about: string,
  type: 'flag' | 'text' | 'function' | 'other',
  expected: string,
  is: (value: unknown) => value is T,
  remedy: (value: unknown) => string | undefined = () => undefined,
): Setting<T> {
  return new Setting(
    about,
    { type },
    expected,
    (value, path) => {
      if (!is(value)) throw unexpected(path, expected, value, remedy(value))
      return value
    },
    'required',
  )
}

/** The typed arrays that settings ask for. Node's Buffer is a Uint8Array. */
interface TypedArrays {
  readonly Uint8Array: Uint8Array
  readonly Int32Array: Int32Array
  readonly Uint32Array: Uint32Array
  readonly Float32Array: Float32Array
}

/** A typed array of one type. */
export const typedArray = <N extends keyof TypedArrays>(about: string, type: N): Setting<TypedArrays[N]> =>
  thing(
    about,
    'other',
    `${type.startsWith('Int') ? 'an' : 'a'} ${type}`,
    (value): value is TypedArrays[N] => typeOf(value) === type,
  )

/**
 * A list of any length.
 * @param entries what they are, in words: `patterns over names`
 */
export function list<T>(about: string, entries: string, of: Setting<T>): Setting<readonly T[]> {
  const expected = `a list of ${entries}`
  return new Setting(
    about,
    { type: 'list', of, entries },
    expected,
    (value, path) => {
      if (!Array.isArray(value)) throw unexpected(path, expected, value)
      return Array.from(value, (entry, i) => of.parse(entry, within(path, i)))
    },
    'required',
  )
}

/**
 * A list whose entries have names: `[height, width, channels]`.
 */
export function tuple<T, const N extends readonly string[]>(
  about: string,
  names: N,
  of: Setting<T>,
): Setting<{ readonly [K in keyof N]: T }> {
  const expected = `[${names.join(', ')}]`
  return new Setting(
    about,
    { type: 'list', of, entries: names.join(', ') },
    expected,
    (value, path) => {
      if (!Array.isArray(value) || value.length !== names.length) throw unexpected(path, expected, value)
      return value.map((entry, i) => of.parse(entry, within(path, i))) as { readonly [K in keyof N]: T }
    },
    'required',
  )
}
