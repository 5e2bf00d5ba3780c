/**
 * @file Which nodes work image by image, so that they can run on a slice of the batch while the next node's input is still
 * in the cache, and how large a slice is. Operators say what has a part for each image, lowerings whether they take it in
 * slices. Knows no memory.
 */
import type { Graph, Node } from '../../graph/graph.js'
import { elements, type Shape, tensorBytes } from '../../graph/types.js'
import { withOutputShape } from '../../ops/axes.js'
import { isOpName, opDefinition } from '../../ops/index.js'
import { loweringOf } from './operators/index.js'
import type { Target } from './target.js'

/** What the tensors of a node should take at most for one slice: half of a core's second-level cache. */
const CACHE_BYTES = 1 << 20

/** How a node runs on slices of the batch. */
export interface Slicing {
  /** With the types of a slice; the node itself if it is not sliced. Its inputs still name the original nodes. */
  readonly node: Node
  /** How many slices the batch has; 0 if the node runs on the whole batch at once. */
  readonly slices: number
  readonly imagesPerSlice: number
}

/** How all nodes of a graph do. */
export function sliceNodes(graph: Graph, target: Target): Map<Node, Slicing> {
  const image = graph.nodes.find(({ op, outputs: [{ shape }] }) => op === 'input' && shape.length === 4)
  const batch = image?.outputs[0].shape[0] ?? 1
  // Every thread has the same number of slices.
  const all = Array.from({ length: batch }, (_, i) => i + 1).filter(size => batch % (size * target.threads) === 0)
  const even = target.prefersEvenSlices(graph) ? all.filter(size => size % 2 === 0) : []
  const sizes = even.length > 0 ? even : all
  const slicings = new Map<Node, Slicing>()
  let previous = 0
  for (const node of graph.nodes) {
    const parts = sizes.length > 0 ? imageParts(node, batch, target) : undefined
    if (parts === undefined) {
      slicings.set(node, { node, slices: 0, imagesPerSlice: batch })
      continue
    }
    const size = sliceSize(node, parts, batch, sizes, previous)
    previous = size
    slicings.set(node, { node: sliced(node, parts, size), slices: batch / size, imagesPerSlice: size })
  }
  return slicings
}

interface Parts {
  readonly inputs: readonly boolean[]
  readonly outputs: readonly boolean[]
}

/** Which inputs and outputs have a part for each image; undefined where the node runs on the whole batch. */
function imageParts(node: Node, batch: number, target: Target): Parts | undefined {
  if (!isOpName(node.op)) return undefined
  const types = node.inputs.map(({ type }) => type)
  const definition = opDefinition(node.op)
  const roles = definition.batch(types, node.outputs, node.attrs)
  // A view computes nothing, so it needs no slices of its own.
  if (roles === undefined || definition.memory === 'view') return undefined
  const lowering = loweringOf(node.op, target)
  // A plain lowering takes slices where nothing that it gives is made up by all images together.
  const takesSlices =
    typeof lowering === 'function' ? roles.outputs.length === node.outputs.length : lowering.inSlices(node)
  if (!takesSlices) return undefined
  const inputs = types.map((_, i) => roles.inputs.includes(i))
  const outputs = node.outputs.map((_, i) => roles.outputs.includes(i))
  // Operators know of images by their place only: the first axis of a weight may be one as well.
  const areImages = [...types.filter((_, i) => inputs[i]), ...node.outputs.filter((_, i) => outputs[i])]
  return inputs.includes(true) && areImages.every(({ shape }) => shape[0] === batch) ? { inputs, outputs } : undefined
}

/**
 * As many images as the cache holds; more where what all slices share (weights, which are read again for each, or sums)
 * weighs more than the images; and what the node before has, if that is near, so that both share a loop.
 */
function sliceSize(node: Node, parts: Parts, batch: number, sizes: readonly number[], previous: number): number {
  const types = node.inputs.map(({ type }) => type)
  const all = [...types.filter((_, i) => parts.inputs[i]), ...node.outputs.filter((_, i) => parts.outputs[i])]
  const perImage = all.reduce((sum, type) => sum + tensorBytes(type), 0) / batch
  const shared = [...types.filter((_, i) => !parts.inputs[i]), ...node.outputs.filter((_, i) => !parts.outputs[i])]
  const weights = 4 * Math.max(0, ...shared.map(({ shape }) => elements(shape)))
  const wanted = Math.max(CACHE_BYTES, weights) / perImage
  const best = sizes.filter(size => size <= wanted).at(-1) ?? sizes[0]
  return previous >= best / 4 && previous <= 2 * best ? previous : best
}

function sliced(node: Node, parts: Parts, images: number): Node {
  const shape = ([, ...rest]: Shape): Shape => [images, ...rest]
  const outputs = node.outputs.map((type, i) => (parts.outputs[i] ? { ...type, shape: shape(type.shape) } : type))
  return {
    ...node,
    attrs: parts.outputs[0] ? withOutputShape(node.attrs, outputs[0].shape) : node.attrs,
    inputs: node.inputs.map((value, i) =>
      parts.inputs[i] ? { ...value, type: { ...value.type, shape: shape(value.type.shape) } } : value,
    ),
    outputs,
  }
}
