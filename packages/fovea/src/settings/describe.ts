/** @file How an error message shows a value that somebody gave, whatever it is: short, and with the remedy where its kind tells. */

/** Longer texts and lists are cut. */
const MOST_CHARACTERS = 60
const MOST_ENTRIES = 8

/** `'text'`, `0.5`, `NaN`, `[1, 2]`, `Float32Array of 192`, `a promise (write await before it)`, `{ train, test }`, …. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `'${value.length > MOST_CHARACTERS ? `${value.slice(0, MOST_CHARACTERS)}…` : value}'`
    case 'bigint':
      return `${value}n`
    case 'function':
      return value.name === '' ? 'a function' : `the function ${value.name}`
    case 'symbol':
      return 'a symbol'
    case 'object':
      return value === null ? 'null' : describeObject(value)
    default:
      return String(value)
  }
}

/** Whether somebody forgot to await it. */
export const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

/** Whether it is an object with parts by name: no list, no array, no map, no promise. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' &&
  value !== null &&
  !(Symbol.iterator in value) &&
  !ArrayBuffer.isView(value) &&
  !isPromise(value)

/** Whether it is a list, or a typed array. */
export const isArrayLike = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)

/** At most five of several texts. @param separator for names `, `; by default that of what has commas of its own */
export const firstFew = (texts: readonly string[], separator = '; '): string =>
  `${texts.slice(0, 5).join(separator)}${texts.length > 5 ? `${separator}and ${texts.length - 5} more` : ''}`

/** 'Float32Array', 'Number', 'Null', … `instanceof` would not know the arrays of another realm (a vm context, an iframe). */
export const typeOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1)

/** What a class is called, or what an array is: `Float32Array`, `Object`. */
const kindOf = (value: object): string =>
  ArrayBuffer.isView(value)
    ? typeOf(value)
    : ((value.constructor as { readonly name?: string } | undefined)?.name ?? 'Object')

function describeObject(value: object): string {
  if (isPromise(value)) return 'a promise (write await before it)'
  if (Array.isArray(value)) return describeList(value)
  const kind = kindOf(value)
  if (ArrayBuffer.isView(value))
    return `${kind} of ${(value as unknown as ArrayLike<unknown>).length ?? value.byteLength}`
  if (kind !== 'Object') return `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`
  const names = Object.keys(value)
  const shown = names.slice(0, MOST_ENTRIES).join(', ')
  return names.length === 0 ? '{}' : `{ ${shown}${names.length > MOST_ENTRIES ? ', …' : ''} }`
}

function describeList(values: readonly unknown[]): string {
  if (values.length > MOST_ENTRIES) return `a list of ${values.length}`
  const text = `[${values.map(describeValue).join(', ')}]`
  return text.length > MOST_CHARACTERS ? `a list of ${values.length}` : text
}
