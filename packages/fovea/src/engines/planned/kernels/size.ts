/**
 * @file The arithmetic of sizes in the table of kernels: sums, products and a few functions of a kernel's numbers. It is computed
 * here where memory is taken, and on the native side (signature.cc has the same functions), where a plan is checked.
 */
import { constants } from './table.js'

/** A kernel's numbers, by the names of its fields. */
export type Numbers = Readonly<Record<string, number | readonly number[]>>

type Argument = number | readonly number[]
const one = (value: Argument): number => value as number
const all = (value: Argument): readonly number[] => value as readonly number[]

export const functions: Readonly<Record<string, (...values: readonly Argument[]) => number>> = {
  min: (a, b) => Math.min(one(a), one(b)),
  max: (a, b) => Math.max(one(a), one(b)),
  choose: (condition, a, b) => one(condition === 0 ? b : a),
  /** The next multiple of `step`. */
  up: (value, step) => Math.ceil(one(value) / one(step)) * one(step),
  quotient: (a, b) => Math.floor(one(a) / one(b)),
  /** The width to which tables by channel are repeated: `repeat_of` in native/fields.h. */
  spread: channels => {
    let width = one(channels)
    while (width % 16 !== 0) width *= 2
    while (width < 64) width *= 2
    return width
  },
  product: dims => all(dims).reduce((product, size) => product * size, 1),
  /** One more than the farthest element of a tensor that is walked by these strides. */
  reach: (dims, strides) => all(dims).reduce((sum, size, axis) => sum + (size - 1) * all(strides)[axis], 1),
}

/** @throws Error for a name that is none of the numbers, or what is no arithmetic */
export function evaluate(expression: string, numbers: Numbers): number {
  const tokens = expression.match(/\w+|[^\s\w]/g) ?? []
  let at = 0
  const fail = (): never => {
    throw new Error(`kernels: '${expression}' is no size at '${tokens.slice(at).join(' ')}'`)
  }
  const take = (token: string): boolean => tokens[at] === token && ++at > 0
  const expect = (token: string): void => {
    if (!take(token)) fail()
  }
  const atom = (): Argument => {
    if (take('(')) {
      const value = sum()
      expect(')')
      return value
    }
    const name = tokens[at++] ?? fail()
    if (/^\d+$/.test(name)) return Number(name)
    if (!take('(')) return numbers[name] ?? (constants as Numbers)[name] ?? fail()
    const values = [sum()]
    while (take(',')) values.push(sum())
    expect(')')
    return (functions[name] ?? fail())(...values)
  }
  const product = (): Argument => {
    let value = atom()
    while (take('*')) value = one(value) * one(atom())
    return value
  }
  const sum = (): Argument => {
    let value = product()
    for (;;) {
      if (take('+')) value = one(value) + one(product())
      else if (take('-')) value = one(value) - one(product())
      else return value
    }
  }
  const value = one(sum())
  if (at < tokens.length) fail()
  return value
}
