/** @file A convolution as a primitive of oneDNN: what it computes. */
import {
  asImages,
  asWeights,
  type EnumerationName,
  enumerationNumber,
  type Geometry,
  geometryOf,
  type Lower,
  type Lowering,
  multiplyAddsOf,
  type Node,
  type Shape,
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
}

/** Whether a convolution is a product of two matrices, of images that are one pixel each and of weights. */
function isProduct({ x, weight, attrs }: Geometry): boolean {
  const [, height, width] = asImages(x)
  const [, , ...kernel] = asWeights(weight)
  return (
    attrs.groups === 1 &&
    [height, width, ...kernel].every(size => size === 1) &&
    attrs.padding.every(side => side === 0)
  )
}

/** Images of one pixel as one image that is a row of them: oneDNN computes several pixels of an image at a time, but no two images. */
function asRow(shape: Shape): Shape {
  const [images, , , channels] = asImages(shape)
  return [1, 1, images, channels]
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
    const geometry = geometryOf(node)
    const { direction, x, y, weight, attrs, bias } = geometry
    const { type, activation, sum } = computed(node)
    const row = isProduct(geometry)
    const [batch, inHeight, inWidth, inChannels] = row ? asRow(x) : asImages(x)
    const [, outHeight, outWidth, outChannels] = row ? asRow(y) : asImages(y)
    const [, , kernelHeight, kernelWidth] = asWeights(weight)
    const [top, bottom, left, right] = attrs.padding
    const [strideY, strideX] = row ? [1, 1] : attrs.stride
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
      strideY,
      strideX,
      top,
      bottom: Math.min(bottom, used(outHeight, strideY, attrs.dilation[0], kernelHeight, inHeight, top)),
      left,
      right: Math.min(right, used(outWidth, strideX, attrs.dilation[1], kernelWidth, inWidth, left)),
      dilationY: attrs.dilation[0],
      dilationX: attrs.dilation[1],
      groups: attrs.groups,
      bias: bias ? 1 : 0,
      activation: enumerationNumber('Activation', activation),
      threads: alone ? 1 : own.threads,
      sum: sum ? 1 : 0,
    })
    own.layouts.note(primitive.weights)
    return primitive
  })
}
