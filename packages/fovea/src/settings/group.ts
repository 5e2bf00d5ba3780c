/**
 * @file Options: a table of settings by name, or one of several such tables, told apart by `type`. A name that is in no
 * table is refused, with the nearest that is: a misspelt option would be ignored without a word.
 */
import { nearestHint, oneOf, SettingError } from '../errors.js'
import { isRecord } from './describe.js'
import { type Presence, Setting, unexpected, within } from './setting.js'

/** Settings by name. */
export type Table = Readonly<Record<string, Setting<unknown, Presence>>>

/** The table that options of type T must have: `{ … } satisfies Rows<SgdOptions>` lacks no row and has none too many. */
export type Rows<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? Setting<Exclude<T[K], undefined>, 'optional' | 'default'>
    : Setting<T[K], 'required' | 'default'>
}

/** The same of a union of options that are told apart by `type`. */
export type VariantRows<T extends { readonly type: string }> = {
  readonly [K in T['type']]: Rows<Omit<Extract<T, { readonly type: K }>, 'type'>>
}

/** What options come to: all that has a default is there. */
export type Settled<R extends Table> = {
  readonly [K in keyof R as R[K] extends Setting<unknown, 'optional'> ? never : K]: ValueOf<R[K]>
} & { readonly [K in keyof R as R[K] extends Setting<unknown, 'optional'> ? K : never]?: ValueOf<R[K]> }

/** What options of several kinds come to. */
export type SettledVariant<V extends Readonly<Record<string, Table>>> = {
  [K in keyof V]: { readonly type: K } & Settled<V[K]>
}[keyof V]

/** What a setting's values are. */
export type ValueOf<S> = S extends Setting<infer T, Presence> ? T : never

/**
 * Options of one kind.
 * @param others what becomes of names that are in no row: they are taken for misspelt ones, unless they are for somebody else
 */
export function group<R extends Table>(
  about: string,
  rows: R,
  others: 'refused' | 'ignored' = 'refused',
): Setting<Settled<R>> {
  const expected = `{ ${Object.keys(rows).join(', ')} }`
  return new Setting(
    about,
    { type: 'group', rows },
    expected,
    (value, path) => settle(record(value, path, expected), path, rows, others) as Settled<R>,
    'required',
  )
}

/** Options of several kinds, whose `type` says which. */
export function variants<V extends Readonly<Record<string, Table>>>(
  about: string,
  tables: V,
): Setting<SettledVariant<V>> {
  const types = Object.keys(tables)
  const expected = `{ type: ${oneOf(types.map(type => `'${type}'`))}, … }`
  return new Setting<SettledVariant<V>>(
    about,
    { type: 'variants', variants: tables },
    expected,
    (value, path) => {
      const isType = typeof value === 'string' && types.includes(value)
      const { type, ...rest } = record(value, path, expected, isType ? `write { type: '${value}' }` : undefined)
      const at = within(path, 'type')
      if (typeof type !== 'string') throw unexpected(at, oneOf(types.map(name => `'${name}'`)), type)
      if (!Object.hasOwn(tables, type)) throw new SettingError(at, `unknown '${type}'${nearestHint(type, types)}`)
      return { type, ...settle(rest, path, tables[type]) } as SettledVariant<V>
    },
    'required',
  )
}

/**
 * Checks the arguments of a function, which are given by position, by their names.
 * @throws SettingError naming the first that its row does not take
 */
export function checkArguments<R extends Table>(rows: R, given: { readonly [K in keyof R]: unknown }): void {
  for (const [name, row] of Object.entries(rows)) row.parse(given[name], name)
}

type Partially<R extends Table> = { readonly [K in keyof R]: Setting<ValueOf<R[K]>, 'optional'> }

/** The rows, none of which need be given. */
export const partial = <R extends Table>(rows: R): Partially<R> =>
  Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, row.optional()])) as never

function record(value: unknown, path: string, expected: string, remedy?: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw unexpected(path === '' ? 'options' : path, expected, value, remedy)
  return value
}

function settle(
  given: Readonly<Record<string, unknown>>,
  path: string,
  rows: Table,
  others: 'refused' | 'ignored' = 'refused',
): Record<string, unknown> {
  const names = Object.keys(rows)
  const unknown = Object.keys(given).find(name => !Object.hasOwn(rows, name))
  if (unknown !== undefined && others === 'refused') {
    throw new SettingError(within(path, unknown), `unknown option${nearestHint(unknown, names)}`)
  }
  const settled: Record<string, unknown> = {}
  for (const name of names) {
    const value = rows[name].parse(given[name], within(path, name))
    if (value !== undefined) settled[name] = value
  }
  return settled
}
