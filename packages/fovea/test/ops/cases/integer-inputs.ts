/** @file Inputs of operators that read or make integers. */
import { randomAt } from '../../../src/random.js'
import { constant, type InputSpec } from './case.js'

export const integers = (dtype: 'int8' | 'uint8', ...shape: number[]): InputSpec => ({
  shape,
  dtype,
  value: (i, key) => Math.floor(256 * randomAt(key, i)) - (dtype === 'int8' ? 128 : 0),
})
/** int8 from −63 to 63. */
export const sevenBits = (...shape: number[]): InputSpec => ({
  shape,
  dtype: 'int8',
  value: (i, key) => Math.floor(127 * randomAt(key, i)) - 63,
})
/** Multiples of an eighth: with a scale of a quarter every second one lies in the middle of two integers. */
export const ties = (...shape: number[]): InputSpec => ({ shape, dtype: 'float32', value: i => (i - 8) / 8 })
export const quarter = constant(0.25)
/** Small ones, so that no sum is near the end of its type. */
export const biases = (...shape: number[]): InputSpec => ({
  shape,
  dtype: 'int32',
  value: (i, key) => Math.floor(4000 * randomAt(key, i)) - 2000,
})
/** Some hundredths of a thousandth: results of some units. */
export const scales = (channels: number): InputSpec => ({
  shape: [channels],
  dtype: 'float32',
  value: (i, key) => 1e-4 * (0.5 + randomAt(key, i)),
})
