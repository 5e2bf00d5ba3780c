/** @file Where the windows of a convolution lie, in each of its three directions. A linear layer is one of 1×1 images. */
import type { Node } from '../../../graph/graph.js'
import { elements, type Shape } from '../../../graph/types.js'
import type { Conv2dAttributes } from '../../../ops/conv2d.js'
import { imagePadding, paddedShape } from '../../../ops/pad.js'
import type { EnumerationName } from '../kernels/field.js'

const pointwise: Conv2dAttributes = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 }

/** N×C as N×1×1×C, O×I as O×I×1×1. */
export const asImages = (shape: Shape): Shape => (shape.length === 2 ? [shape[0], 1, 1, shape[1]] : shape)
export const asWeights = (shape: Shape): Shape => (shape.length === 2 ? [...shape, 1, 1] : shape)

/** A convolution or linear layer in one of three directions: `x` is read by its windows, `y` has a number for each. */
export interface Geometry {
  readonly direction: EnumerationName<'Direction'>
  readonly x: Shape
  readonly y: Shape
  readonly weight: Shape
  readonly attrs: Conv2dAttributes
  /** Whether a bias is added, or has a gradient. */
  readonly bias: boolean
}

export function geometryOf(node: Node): Geometry {
  const attrs = 'groups' in node.attrs ? (node.attrs as unknown as Conv2dAttributes) : pointwise
  const [a, b, bias] = node.inputs.map(input => input.type.shape)
  const [result] = node.outputs.map(type => type.shape)
  switch (node.op) {
    case 'conv2d':
    case 'linear':
      return { direction: 'forward', x: a, y: result, weight: b, attrs, bias: bias !== undefined }
    case 'integerConv2d': {
      const layer = { direction: 'forward', y: result, weight: b, bias: false } as const
      if (!('zeroPoint' in attrs)) return { ...layer, x: a, attrs }
      // Padded before.
      const x = paddedShape(a, imagePadding(attrs.padding))
      return { ...layer, x, attrs: { ...attrs, padding: [0, 0, 0, 0] } }
    }
    case 'conv2dInputGradient':
    case 'linearInputGradient':
      return { direction: 'inputGradient', x: result, y: a, weight: b, attrs, bias: false }
    default:
      return { direction: 'weightGradient', x: a, y: b, weight: result, attrs, bias: node.outputs.length > 1 }
  }
}

/** The same in all three directions. */
export const multiplyAddsOf = ({ y, weight }: Pick<Geometry, 'y' | 'weight'>): number =>
  elements(y) * elements(weight.slice(1))
