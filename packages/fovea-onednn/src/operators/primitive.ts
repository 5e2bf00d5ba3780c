/** @file A convolution as a primitive of oneDNN: what it computes. */
import {
  asImages,
  asWeights,
  type EnumerationName,
  enumerationNumber,
  geometryOf,
  type Lower,
  type Lowering,
  multiplyAddsOf,
  type Node,
} from 'fovea/engine'
import type { Convolution } from '../addon.js'
import type { OnednnTarget } from '../onednn-target.js'

/** A lowering that knows its target. */
export type OwnLower = (own: OnednnTarget, ...given: Parameters<Lower>) => void

/** So few multiply-adds are done by one thread before another has heard of them. */
const SMALL_MULTIPLY_ADDS = 1 << 19

/** What a convolution computes, beside its geometry. */
interface Computed {
  readonly type: EnumerationName<'ElementType'>
  readonly activation: EnumerationName<'Activation'>
  /** Whether it adds to what its output holds. */
  readonly sum: boolean
  readonly winograd: boolean
}

/** Of a node as it is in the graph: for a slice where it runs on slices. Made once. */
export function makePrimitive(
  own: OnednnTarget,
  to: Lowering,
  whole: Node,
  computed: (node: Node) => Computed,
): Convolution {
  return own.primitive(whole, () => {
    const { node, slices } = to.slicing(whole)
    const { direction, x, y, weight, attrs, bias } = geometryOf(node)
    const { type, activation, sum, winograd } = computed(node)
    const [batch, inHeight, inWidth, inChannels] = asImages(x)
    const [, outHeight, outWidth, outChannels] = asImages(y)
    const [, , kernelHeight, kernelWidth] = asWeights(weight)
    const [top, bottom, left, right] = attrs.padding
    // oneDNN wants the padding that the windows really use, which flooring the output size may leave partly unused.
    const used = (out: number, stride: number, dilation: number, kernel: number, size: number, before: number) =>
      (out - 1) * stride + dilation * (kernel - 1) + 1 - size - before
    const alone = slices > 0 || multiplyAddsOf({ y, weight }) < SMALL_MULTIPLY_ADDS
    const primitive = own.native.convolution({
      direction: enumerationNumber('Direction', direction),
      type: enumerationNumber('ElementType', type),
      batch,
      inChannels,
      inHeight,
      inWidth,
      outChannels,
      outHeight,
      outWidth,
      kernelHeight,
      kernelWidth,
      strideY: attrs.stride[0],
      strideX: attrs.stride[1],
      top,
      bottom: Math.min(bottom, used(outHeight, attrs.stride[0], attrs.dilation[0], kernelHeight, inHeight, top)),
      left,
      right: Math.min(right, used(outWidth, attrs.stride[1], attrs.dilation[1], kernelWidth, inWidth, left)),
      dilationY: attrs.dilation[0],
      dilationX: attrs.dilation[1],
      groups: attrs.groups,
      bias: bias ? 1 : 0,
      activation: enumerationNumber('Activation', activation),
      threads: alone ? 1 : own.threads,
      sum: sum ? 1 : 0,
      winograd: winograd ? 1 : 0,
      fixedWeights: to.graph.updates.size === 0 ? 1 : 0,
    })
    own.layouts.note(primitive.weightsLayout, primitive.weightsBytes)
    return primitive
  })
}
