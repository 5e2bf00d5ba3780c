/**
 * @file Computes cheap activations a second time in the backward pass rather than keeping them from the forward one (Chen
 * et al. 2016, arXiv 1604.06174). What a batch-norm or an activation wrote then lives only until its last reader of the
 * forward pass, which is often within the cache; of each layer only the convolution's output is kept.
 */
import type { Graph, Node, Value } from '../graph/graph.js'
import { tensorBytes } from '../graph/types.js'
import { activations, isActivation } from '../ops/activation.js'
import { type BatchNormAttributes, batchNorm, batchNormTraining } from '../ops/batch-norm.js'
import { hasTrait, opDefinition } from '../ops/index.js'
import { choice } from '../settings/kinds.js'
import { type RewriteContext, rewrite } from './rewrite.js'

/**
 * How much of the forward pass is kept for the backward pass.
 * `standard` computes again what costs a pass over memory and no more. `low` computes again all that is elementwise, with
 * exponentials too: EfficientNet then needs half the memory and a quarter more time. The arithmetic is the same.
 */
export const memoryUses = ['standard', 'low'] as const
/** One of `memoryUses`. */
export type MemoryUse = (typeof memoryUses)[number]

/** The row of `MemoryUse`. */
export const memorySetting = choice(
  'how much of the forward pass is kept; low keeps less and computes it again: slower, but a larger batch fits',
  memoryUses,
).default('standard')

/**
 * @param graph a training graph with output `loss`: nodes up to it are the forward pass, nodes after it the backward pass
 * @throws SettingError for an unknown use
 */
export function recompute(graph: Graph, use: MemoryUse = 'standard'): Graph {
  memorySetting.parse(use, 'memory')
  const loss = graph.outputs.get('loss')
  if (loss === undefined) throw new Error('a training graph has an output `loss`')
  const forward = new Set(graph.nodes.slice(0, graph.nodes.indexOf(loss.node) + 1))
  const done = new Map<Node, Value>()

  const again = (value: Value, context: RewriteContext): Value => {
    const { node } = value
    if (!forward.has(node) || value.index > 0 || !isCheap(node, use)) return context.mapped(value)
    const made = done.get(node) ?? compute(node, context)
    done.set(node, made)
    return made
  }
  const compute = (node: Node, context: RewriteContext): Value => {
    const inputs = node.inputs.map(input => again(input, context))
    const name = `${node.name}.again`
    if (node.op !== batchNormTraining.name) return context.builder.emit(opDefinition(node.op), inputs, node.attrs, name)
    const statistics = [1, 2].map(index => context.mapped({ node, index, type: node.outputs[index] }))
    const attrs = { ...node.attrs, momentum: 0 } as BatchNormAttributes
    return context.builder.emit(batchNorm, [...inputs, ...statistics], attrs, name)
  }

  return rewrite(graph, (node, context) => {
    if (forward.has(node) || node.inputs.length === 0) return undefined
    // A batch-norm's own gradient computes what it needs from x.
    const own = node.op === 'batchNormGradient' ? node.inputs[2] : undefined
    const inputs = node.inputs.map(input => (input === own ? context.mapped(input) : again(input, context)))
    return context.builder.emitAll(opDefinition(node.op), inputs, node.attrs, node.name)
  })
}

/**
 * Whether a node computes an image elementwise, from what is kept anyway. A batch-norm with a residual is none: to compute
 * it again the residual would have to be kept, which is as large as what it saves.
 */
function isCheap(node: Node, use: MemoryUse): boolean {
  const { shape } = node.outputs[0]
  if (shape.length !== 4 || shape[1] * shape[2] === 1) return false
  const isNorm = node.op === batchNormTraining.name && node.inputs.length === 3
  if (use === 'low') return isNorm || readsOneImage(node)
  const activation = isNorm ? node.attrs['activation'] : node.op
  return (isNorm && activation === undefined) || (isActivation(activation) && !activations[activation].exponential)
}

/** Elementwise, of one input that is as large as the output; the others, such as a scale of each channel, are small. */
function readsOneImage(node: Node): boolean {
  const bytes = tensorBytes(node.outputs[0])
  const large = node.inputs.map(({ type }) => tensorBytes(type)).filter(size => size >= bytes)
  return hasTrait(node, 'elementwise') && large.length === 1 && large[0] === bytes
}
