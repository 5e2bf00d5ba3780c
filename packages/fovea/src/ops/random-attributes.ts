/** @file What dropout and stochastic depth share: a rate, a stream of random numbers, and a seed that is an input. */
import { ShapeError } from '../errors.js'
import { formatShape, type TensorType } from '../graph/types.js'

/** `rate` is the probability to vanish, in [0, 1); `stream` is `streamOf` the node's name, so that no two nodes draw alike. */
export type RandomAttributes = { readonly rate: number; readonly stream: number }

export function checkRandom(seed: TensorType | undefined, { rate }: RandomAttributes): void {
  if (!(rate >= 0 && rate < 1)) throw new ShapeError(`rate must be at least 0 and below 1, got ${rate}`)
  if (seed !== undefined && (seed.shape.length !== 0 || seed.dtype !== 'int32')) {
    throw new ShapeError(`the seed must be an int32 scalar, got ${seed.dtype} ${formatShape(seed.shape)}`)
  }
}
