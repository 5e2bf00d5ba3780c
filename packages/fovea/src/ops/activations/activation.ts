/** @file What an activation is: one elementwise function and its derivative. A file each beside this one. */

export interface Activation {
  readonly value: (x: number) => number
  /** By the input x. */
  readonly derivative: (x: number) => number
  /** Whether it takes an exponential, which costs more than reading and writing a number. */
  readonly exponential: boolean
}
