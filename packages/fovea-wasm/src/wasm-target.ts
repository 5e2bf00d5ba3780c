/** @file What this engine has of its own: convolutions by kernels of ours, and packed weights for them. */
import type { Target } from 'fovea/engine'
import { Layouts } from './layouts.js'
import { convolutionsOf } from './operators/convolution.js'

export class WasmTarget implements Target {
  readonly name = 'wasm'
  readonly layouts = new Layouts()
  readonly convolutions: Target['convolutions'] = convolutionsOf(this.layouts)

  constructor(readonly threads: number) {}

  prefersEvenSlices(): boolean {
    return false
  }

  /** State lies dense. */
  prepare(): void {}
}
