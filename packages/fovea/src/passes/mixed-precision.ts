/**
 * @file Mixed precision (Micikevicius et al. 2018, arXiv 1710.03740): convolutions and linear layers compute in a 16-bit
 * type, activations travel in it, while parameters, statistics, the last layer and the loss stay float32.
 * Works on a model's graph, before training or inference mode; autodiff then gives the backward pass the same types.
 */
import type { Graph, Node, Value } from '../graph/graph.js'
import { matching } from '../graph/patterns.js'
import { type DType, isFloat } from '../graph/types.js'
import type { GraphBuilder } from '../ops/builder.js'
import { cast } from '../ops/cast.js'
import { isOpName, opDefinition } from '../ops/index.js'
import { group, type Rows } from '../settings/group.js'
import { choice, list, text } from '../settings/kinds.js'
import { rewrite } from './rewrite.js'

/** Keras's names of the policies. */
export const precisions = ['float32', 'mixed_bfloat16', 'mixed_float16'] as const
/** One of `precisions`. */
export type Precision = (typeof precisions)[number]

const computeTypes = { mixed_bfloat16: 'bfloat16', mixed_float16: 'float16' } as const satisfies Record<string, DType>

/** The type in which a policy lets convolutions and linear layers compute. */
export function computeType(precision: Precision): DType {
  const policy = precisionSettings.precision.parse(precision, 'precision')
  return policy === 'float32' ? 'float32' : computeTypes[policy]
}

/** The types in which a model computes. */
export interface PrecisionOptions {
  /** Default `float32`. */
  readonly precision?: Precision
  /** Patterns over the names of convolutions and linear layers that stay float32. Default: the last. */
  readonly keepFloat32?: readonly string[]
}

/** The table of `PrecisionOptions`. */
export const precisionSettings = {
  precision: choice('the type in which convolutions and linear layers compute', precisions).default('float32'),
  keepFloat32: list(
    'layers that stay float32 under mixed precision, such as conv1,layer1.*,fc (default: the last)',
    'patterns over names of layers',
    text('a pattern'),
  ).optional(),
} satisfies Rows<PrecisionOptions>

/** The same as options of their own. */
export const precisionOptions = group('the types in which a model computes', precisionSettings)

/** Whether most of a network's time goes into such a node: a convolution or a linear layer. */
const isCompute = ({ op }: Node): boolean => isOpName(op) && opDefinition(op).multiplyAdds !== undefined

/**
 * The graph under a policy; its outputs stay float32. `float32` returns it unchanged.
 * @throws SettingError for an unknown policy, or a pattern that matches no layer: it is misspelt
 */
export function mixedPrecision(graph: Graph, options: PrecisionOptions = {}): Graph {
  const precision = precisionSettings.precision.parse(options.precision, 'precision')
  const keepFloat32 = precisionSettings.keepFloat32.parse(options.keepFloat32, 'keepFloat32')
  const kept = keptLayers(graph, keepFloat32)
  if (precision === 'float32') return graph
  const compute = computeTypes[precision]
  const casts = new Map<string, Value>()
  const outputs = new Set([...graph.outputs.values()].map(value => value.node))

  return rewrite(graph, (node, { builder, mapped }) => {
    if (node.inputs.length === 0) return undefined
    const as = (dtype: DType) => (value: Value) => castOnce(builder, casts, value, dtype)
    const inputs = node.inputs.map(mapped)
    const typed = castInputs(node, inputs, isCompute(node) && !kept.has(node) ? compute : undefined, as)
    const results = builder.emitAll(opDefinition(node.op), typed, node.attrs, node.name)
    return outputs.has(node)
      ? results.map(value => (isFloat(value.type.dtype) ? as('float32')(value) : value))
      : results
  })
}

/** The layers that stay float32. */
function keptLayers(graph: Graph, patterns: readonly string[] | undefined): ReadonlySet<Node> {
  const layers = graph.nodes.filter(isCompute)
  if (patterns === undefined) return new Set(layers.slice(-1))
  return matching(layers, patterns, { what: 'convolution or linear layer', setting: 'keepFloat32' })
}

function castInputs(
  node: Node,
  inputs: readonly Value[],
  compute: DType | undefined,
  as: (dtype: DType) => (value: Value) => Value,
): readonly Value[] {
  const { float32Inputs = [] } = opDefinition(node.op)
  const first = inputs.find(({ type }) => isFloat(type.dtype))?.type.dtype ?? 'float32'
  const typed = as(isCompute(node) ? (compute ?? 'float32') : first)
  return inputs.map((value, i) => (float32Inputs.includes(i) || !isFloat(value.type.dtype) ? value : typed(value)))
}

function castOnce(builder: GraphBuilder, casts: Map<string, Value>, value: Value, dtype: DType): Value {
  if (value.type.dtype === dtype) return value
  const key = `${value.node.name} ${value.index} ${dtype}`
  const made = casts.get(key) ?? builder.emit(cast, [value], { dtype }, `${value.node.name}.${dtype}`)
  casts.set(key, made)
  return made
}
