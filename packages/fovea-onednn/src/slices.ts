/**
 * @file Which nodes work image by image, so that they can run on a slice of the batch while the next node's input is still
 * in the cache, and how large a slice is. Knows shapes and roles of inputs; no kernel, no memory.
 */
import { elements, type Graph, type Node, type OpName, type Shape, tensorBytes, type Value } from 'fovea/engine'
import type { Arithmetic } from './lowering.js'
import { hasDirectWeightGradient } from './operators/depthwise.js'
import { hasPairedWeightGradient } from './operators/weight-gradient.js'
import { gainsByWinograd } from './operators/winograd.js'

/** Inputs that hold a part for each image; the others (weights, tables, seeds) are the same for all. */
const imageInputs: Partial<Record<OpName, readonly number[]>> = {
  conv2d: [0, 3],
  conv2dInputGradient: [0],
  conv2dWeightGradient: [0, 1],
  batchNorm: [0, 5],
  batchNormTraining: [0, 3],
  batchNormGradient: [0, 1, 2, 7],
  relu: [0],
  relu6: [0],
  silu: [0],
  gelu: [0],
  sigmoid: [0],
  hardSwish: [0],
  activationGradient: [0, 1],
  maxPool: [0],
  maxPoolGradient: [0, 1],
  averagePool: [0],
  averagePoolGradient: [0],
  globalAveragePool: [0],
  globalAveragePoolGradient: [0],
  add: [0, 1],
  multiply: [0, 1],
  multiplyAdd: [0, 1, 2],
  productSum: [0, 1],
  pad: [0],
  slice: [0],
  sliceGradient: [0],
  cast: [0],
  flatten: [0],
  dropout: [0],
  stochasticDepth: [0],
}

/** Outputs that hold a part for each image; where it is not said, all of them. */
const imageOutputs: Partial<Record<OpName, readonly number[]>> = {
  batchNormTraining: [0],
  batchNormGradient: [0, 3],
  conv2dWeightGradient: [],
}

/** Operators whose attribute `shape` is that of their output. */
const shapedByAttribute: readonly string[] = [
  'conv2dInputGradient',
  'maxPoolGradient',
  'averagePoolGradient',
  'globalAveragePoolGradient',
  'sliceGradient',
]

/** What the tensors of a node should take at most for one slice: half of a core's second-level cache. */
const CACHE_BYTES = 1 << 20

/** A node as it is for one slice of the batch. */
export interface View {
  /** With the types of a slice; the node itself if it is not sliced. Its inputs still name the original nodes. */
  readonly node: Node
  /** How many slices the batch has; 0 if the node runs on the whole batch at once. */
  readonly slices: number
  readonly imagesPerSlice: number
}

/** The views of all nodes of a graph. */
export function sliceViews(graph: Graph, threads: number, arithmetic: Arithmetic): Map<Node, View> {
  const image = graph.nodes.find(({ op, outputs: [{ shape }] }) => op === 'input' && shape.length === 4)
  const batch = image?.outputs[0].shape[0] ?? 1
  // Every thread has the same number of slices.
  const all = Array.from({ length: batch }, (_, i) => i + 1).filter(size => batch % (size * threads) === 0)
  // Gradients that multiply pairs of images waste half of one on a single image.
  const inPairs = graph.nodes.some(node => hasPairedWeightGradient(node, arithmetic))
  const even = inPairs ? all.filter(size => size % 2 === 0) : []
  const sizes = even.length > 0 ? even : all
  const views = new Map<Node, View>()
  let previous = 0
  for (const node of graph.nodes) {
    const parts = sizes.length > 0 ? imageParts(node, batch, arithmetic) : undefined
    if (parts === undefined) {
      views.set(node, { node, slices: 0, imagesPerSlice: batch })
      continue
    }
    const size = sliceSize(node, parts, batch, sizes, previous)
    previous = size
    views.set(node, { node: sliced(node, parts, size), slices: batch / size, imagesPerSlice: size })
  }
  return views
}

interface Parts {
  readonly inputs: readonly boolean[]
  readonly outputs: readonly boolean[]
}

/** Which inputs and outputs have a part for each image; undefined where the node mixes images. */
function imageParts(node: Node, batch: number, arithmetic: Arithmetic): Parts | undefined {
  const roles = imageInputs[node.op as OpName]
  if (roles === undefined) return undefined
  const rank = node.outputs[0].shape.length
  // What is broadcast over the batch (an axis of 1, or none) is the same for all images.
  const inputs = node.inputs.map(
    ({ type: { shape } }, i) => roles.includes(i) && shape.length === rank && shape[0] === batch,
  )
  const fits = node.inputs.every(
    ({ type: { shape } }, i) => !roles.includes(i) || inputs[i] || broadcastsOverBatch(shape, rank),
  )
  const kept = imageOutputs[node.op as OpName]
  const outputs = node.outputs.map((_, i) => kept?.includes(i) ?? true)
  const whole = node.outputs.every(({ shape }, i) => !outputs[i] || (shape.length > 0 && shape[0] === batch))
  return inputs[0] && fits && whole && keepsImagesApart(node, arithmetic) ? { inputs, outputs } : undefined
}

const broadcastsOverBatch = (shape: Shape, rank: number): boolean => shape.length < rank || shape[0] === 1

/** Slices, padding and reductions may cut or add along the first axis; gradients of weights are sums that not all add up. */
function keepsImagesApart(node: Node, arithmetic: Arithmetic): boolean {
  const { op, attrs } = node
  // All images share the transformed weights.
  if (gainsByWinograd(node, arithmetic.winograd)) return false
  if (op === 'conv2dWeightGradient') return hasDirectWeightGradient(node) || hasPairedWeightGradient(node, arithmetic)
  const list = (name: string): readonly number[] => (attrs[name] ?? []) as readonly number[]
  if (op === 'pad') return list('before')[0] === 0 && list('after')[0] === 0
  if (op === 'slice' || op === 'sliceGradient') {
    return list('start')[0] === 0 && list('step')[0] === 1
  }
  return op !== 'productSum' || !list('axes').includes(0)
}

/**
 * As many images as the cache holds; more where the weights, which are read again for every slice, weigh more than the
 * images; and what the node before has, if that is near, so that both share a loop.
 */
function sliceSize(node: Node, parts: Parts, batch: number, sizes: readonly number[], previous: number): number {
  const bytes = (value: { readonly type: Value['type'] }): number => tensorBytes(value.type)
  const all = [
    ...node.inputs.filter((_, i) => parts.inputs[i]).map(bytes),
    ...node.outputs.filter((_, i) => parts.outputs[i]).map(type => bytes({ type })),
  ]
  const perImage = all.reduce((sum, value) => sum + value, 0) / batch
  const weights = 4 * weightElements(node)
  const wanted = Math.max(CACHE_BYTES, weights) / perImage
  const best = sizes.filter(size => size <= wanted).at(-1) ?? sizes[0]
  return previous >= best / 4 && previous <= 2 * best ? previous : best
}

/** How many weights a convolution reads for every slice, or sums of their gradient it reads and writes. */
function weightElements({ op, inputs, outputs }: Node): number {
  if (op === 'conv2d' || op === 'conv2dInputGradient') return elements(inputs[1].type.shape)
  return op === 'conv2dWeightGradient' ? elements(outputs[0].shape) : 0
}

function sliced(node: Node, parts: Parts, images: number): Node {
  const shape = ([, ...rest]: Shape): Shape => [images, ...rest]
  const { attrs } = node
  return {
    ...node,
    attrs: shapedByAttribute.includes(node.op) ? { ...attrs, shape: [...shape(attrs['shape'] as Shape)] } : attrs,
    inputs: node.inputs.map((value, i) =>
      parts.inputs[i] ? { ...value, type: { ...value.type, shape: shape(value.type.shape) } } : value,
    ),
    outputs: node.outputs.map((type, i) => (parts.outputs[i] ? { ...type, shape: shape(type.shape) } : type)),
  }
}
