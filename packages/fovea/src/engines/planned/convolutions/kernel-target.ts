/** @file The target whose convolutions are kernels of ours, as everything else: where oneDNN is not, or has none for the processor. */
import type { Target } from '../target.js'
import { convolutionsOf } from './convolution.js'
import { PackedWeights } from './packed-weights.js'

export class KernelTarget implements Target {
  readonly layouts = new PackedWeights()
  readonly convolutions: Target['convolutions'] = convolutionsOf(this.layouts)

  /** @param name of the engine, in messages */
  constructor(
    readonly name: string,
    readonly threads: number,
  ) {}

  prefersEvenSlices(): boolean {
    return false
  }

  /** State lies dense. */
  prepare(): void {}
}
