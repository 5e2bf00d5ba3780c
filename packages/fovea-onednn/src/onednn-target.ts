/** @file What oneDNN brings to a plan: convolutions, each with the layout of weights that it prefers, and reorders between these. */
import type { Graph, Lowering, Node, Target } from 'fovea/engine'
import type { Convolution, NativePlan } from './addon.js'
import type { Capabilities } from './capabilities.js'
import { Layouts } from './layouts.js'
import { chooseWideStorage, convolutionsOf } from './operators/convolution.js'
import { hasOwnWeightGradient } from './operators/weight-gradient.js'
import { chooseWeightLayouts } from './operators/weight-layout.js'

export class OnednnTarget implements Target {
  readonly name = 'oneDNN'
  readonly layouts: Layouts
  readonly convolutions: Target['convolutions']
  readonly #primitives = new Map<Node, Convolution>()

  constructor(
    readonly native: NativePlan,
    readonly threads: number,
    readonly capabilities: Capabilities,
  ) {
    this.layouts = new Layouts(native)
    this.convolutions = convolutionsOf(this)
  }

  /** The primitive of a node, made once. */
  primitive(node: Node, make: () => Convolution): Convolution {
    const primitive = this.#primitives.get(node) ?? make()
    this.#primitives.set(node, primitive)
    return primitive
  }

  /** Gradients that multiply pairs of images waste half of one on a single image. */
  prefersEvenSlices({ nodes }: Graph): boolean {
    return nodes.some(node => hasOwnWeightGradient(node, this.capabilities))
  }

  prepare(to: Lowering): void {
    chooseWeightLayouts(this, to)
    chooseWideStorage(this, to)
  }
}
