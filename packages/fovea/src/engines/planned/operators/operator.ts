/** @file What a lowering is: it adds the native steps of one node. */
import { EngineError } from '../../../errors.js'
import type { Node, Value } from '../../../graph/graph.js'
import { isFloat, type Shape } from '../../../graph/types.js'
import { type ActivationName, activations } from '../../../ops/activation.js'
import type { Lowering } from '../lowering.js'

/**
 * @param node as it is for one slice, where it runs on slices: its types are those of a slice, its inputs name the graph's nodes
 * @param whole as it is in the graph
 */
export type Lower = (to: Lowering, node: Node, whole: Node) => void

/**
 * A lowering that decides for itself which nodes run on slices of the batch: an output that all images make up needs steps
 * that add up what slices come to, and some work is faster on the whole. It is asked only where images have parts.
 */
export interface SliceLowering {
  readonly lower: Lower
  readonly inSlices: (node: Node) => boolean
}

export type LoweringEntry = Lower | SliceLowering

/** Kernels that know float32 only: what they do is little beside the network, or needs that precision. */
export const inFloat32 =
  (lower: Lower): Lower =>
  (to, node, whole) => {
    const types = [...node.inputs.map(({ type }) => type), ...node.outputs]
    const other = types.find(({ dtype }) => isFloat(dtype) && dtype !== 'float32')
    if (other !== undefined) {
      throw new EngineError(
        `the ${to.target.name} engine has ${node.op} of float32 only, '${node.name}' is of ${other.dtype}: cast to float32 before it`,
      )
    }
    lower(to, node, whole)
  }

/** Works on slices, where others of its kind do not. */
export const inSlices = (lower: Lower): SliceLowering => ({ lower, inSlices: () => true })
/** Works on the whole batch at once. */
export const onWhole = (lower: Lower): SliceLowering => ({ lower, inSlices: () => false })

/** Where windows lie, for the kernels: `x` and `y` are the shapes of the larger image and of that with a number for each window. */
export function imagesOf(x: Shape, y: Shape, stride: readonly number[], padding: readonly number[]) {
  const [images, height, width, channels] = x
  const [, outHeight, outWidth] = y
  const [[strideY, strideX], [top, , left]] = [stride, padding]
  return { images, height, width, channels, outHeight, outWidth, strideY, strideX, top, left }
}

export const outputOf = (node: Node, index = 0): Value => ({ node, index, type: node.outputs[index] })

/** The activation that a node applies to its result. */
export const activationOf = (node: Node): ActivationName | 'none' =>
  (node.attrs['activation'] as ActivationName | undefined) ?? 'none'

/** Whether a node applies an activation that takes an exponential, which costs more than reading and writing a number. */
export function hasExponential(node: Node): boolean {
  const activation = activationOf(node)
  return activation !== 'none' && activations[activation].exponential
}
