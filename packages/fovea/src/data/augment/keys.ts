/** @file Where the randomness of a pass over the data comes from: the seed, the epoch, what it is for, and the image. */
import { randomKey, streamOf } from '../../random.js'

/** One epoch of one run. */
export interface TrainingPass {
  readonly seed: number
  readonly epoch: number
}

/**
 * The key of all that is random in one epoch, by purpose. `randomKey` of it and an image's index is that of one image.
 */
export const passKey = (purpose: string, { seed, epoch }: TrainingPass): number =>
  randomKey(randomKey(seed, streamOf(purpose)), epoch)
