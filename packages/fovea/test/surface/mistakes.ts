/** @file What may stand in the place of an argument by mistake, and that a function answers each as one who wants to help. */
import { expect } from 'vitest'
import { FoveaError } from '../../src/index.js'

/** In the place of any argument. */
const mistakes = {
  nothing: undefined,
  null: null,
  'no number': Number.NaN,
  'half a number': -1.5,
  'a text': 'nonesuch',
  'an empty object': {},
  'a misspelt option': { misspelt: 1 },
  'an empty list': [],
  'a list of texts': ['nonesuch'],
  'a function': () => 1,
  'a promise': Promise.resolve(1),
}
type Mistake = keyof typeof mistakes

/** A right argument, and which of the mistakes are none in its place. */
export interface Argument {
  readonly right: unknown
  readonly takes: readonly Mistake[]
}

/** An argument in the place of which all of them are mistakes. */
export const required = (right: unknown, ...takes: Mistake[]): Argument => ({ right, takes })

/** One that need not be given. */
export const optional = (right: unknown, ...takes: Mistake[]): Argument => required(right, 'nothing', ...takes)

/** Options that all have a default. */
export const options = (right: object = {}): Argument => optional(right, 'an empty object')

/** The names of what can be called; classes are made by functions. */
export const functionsOf = (module: object): string[] =>
  Object.entries(module)
    .filter(([, value]) => typeof value === 'function' && !/^class\b/.test(String(value)))
    .map(([name]) => name)
    .sort()

/** Calls a function with each mistake in the place of each argument: each is an error for people, and none an accident. */
export async function expectRefusals(call: unknown, given: readonly Argument[]): Promise<void> {
  for (const [i, { takes }] of given.entries()) {
    for (const [name, mistake] of Object.entries(mistakes)) {
      if ((takes as readonly string[]).includes(name)) continue
      const values = given.map(({ right }, j) => (i === j ? mistake : right))
      const error = await Promise.resolve()
        .then(() => (call as (...values: unknown[]) => unknown)(...values))
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
      expect(error, `${name} as argument ${i}: ${error}`).toBeInstanceOf(FoveaError)
    }
  }
}
