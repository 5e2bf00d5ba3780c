/**
 * @file A model accounted for layer by layer: output shape, parameters, multiply-adds, precision, bytes. What training
 * holds beside is in train/training-bytes.ts.
 */
import { type Graph, type Node, parameterNodes, preparedNodes, type Value } from '../graph/graph.js'
import { graphOf } from '../graph/graph-setting.js'
import { type DType, elements, type Shape, type TensorType, tensorBytes } from '../graph/types.js'
import { isOpName, opDefinition } from '../ops/index.js'
import { integerArithmetic } from '../passes/integer-arithmetic.js'
import { mixedPrecision, type PrecisionOptions, precisionOptions } from '../passes/mixed-precision.js'
import type { Model } from './model.js'
import { modelOf } from './model-setting.js'

/** One layer's account: shapes as [height, width, channels] of one image. */
export interface LayerSummary {
  /** Where it stands in the model: `layer1.0.conv1`. */
  readonly name: string
  /** The operator: `conv2d`, `batchNorm`, …. */
  readonly op: string
  /** Of one image. */
  readonly output: Shape
  /** That training changes by gradient; running statistics are none. */
  readonly parameters: number
  /** For one image, as papers count them: convolutions and fully connected layers. */
  readonly multiplyAdds: number
  /** The type that the layer computes in. */
  readonly precision: DType
  /** Of its parameters, in the type in which the layer reads them. */
  readonly bytes: number
  /** Of its output for one image. */
  readonly activationBytes: number
}

/** Bytes in all, and the parts of them in each type; types that a network rarely has are there where it does. */
export type BytesByType = Readonly<
  Record<'total' | 'float32' | 'bfloat16' | 'float16' | 'int8', number> & Partial<Record<DType, number>>
>

/** A model's account, layer by layer and in all. */
export interface ModelSummary {
  readonly model: string
  readonly parameters: number
  readonly multiplyAdds: number
  /**
   * Of the parameters, in the types in which layers read them: the weights that inference computes with. Training holds a
   * float32 master of every parameter as well, see `trainingBytes`.
   */
  readonly bytes: BytesByType
  /**
   * Of the outputs of all layers for one image, as if each were kept. Engines keep fewer: they join layers, and what
   * nobody reads any more makes room. Casts between types are not counted.
   */
  readonly activationBytes: BytesByType
  readonly layers: readonly LayerSummary[]
}

/**
 * The account of a model under a policy of precision. The layers' numbers add up to the whole's.
 * @throws InvalidArgumentError for an unknown policy, or a pattern of `keepFloat32` that matches no layer
 */
export function summarize(model: Model, options: PrecisionOptions = {}): ModelSummary {
  const graph = mixedPrecision(integerArithmetic(modelOf(model).graph), precisionOptions.parse(options, ''))
  const prepared = preparedNodes(graph)
  const counted = new Set<Node>()
  const bytes = noBytes()
  const activationBytes = noBytes()
  const layers = graph.nodes.flatMap((node): LayerSummary[] => {
    // A cast is how a layer reads another type, not a layer.
    if (!isOpName(node.op) || node.op === 'cast' || prepared.has(node)) return []
    const { parameters, layerBytes } = countParameters(node, prepared, counted, bytes)
    const [output] = node.outputs
    return [
      {
        name: node.name,
        op: node.op,
        output: output.shape.slice(1),
        parameters,
        multiplyAdds: multiplyAddsOf(node),
        precision: output.dtype,
        bytes: layerBytes,
        activationBytes: addBytes(activationBytes, output),
      },
    ]
  })
  const sum = (key: 'parameters' | 'multiplyAdds'): number => layers.reduce((total, layer) => total + layer[key], 0)
  const [parameters, multiplyAdds] = [sum('parameters'), sum('multiplyAdds')]
  return { model: model.name, parameters, multiplyAdds, bytes, activationBytes, layers }
}

/** Multiply-adds of all nodes of a graph, for its batch. */
export const graphMultiplyAdds = (graph: Graph): number =>
  graphOf(graph).nodes.reduce((total, node) => total + multiplyAddsOf(node), 0)

/** How many numbers are trained: biases and norms too, running statistics not. */
export const parameterCount = (graph: Graph): number =>
  parameterNodes(graphOf(graph)).reduce((total, node) => total + elements(node.outputs[0].shape), 0)

function multiplyAddsOf(node: Node): number {
  if (!isOpName(node.op)) return 0
  const types = node.inputs.map(input => input.type)
  return opDefinition(node.op).multiplyAdds?.(types, node.outputs, node.attrs) ?? 0
}

type MutableBytes = { -readonly [type in keyof BytesByType]: BytesByType[type] }

const noBytes = (): MutableBytes => ({ total: 0, float32: 0, bfloat16: 0, float16: 0, int8: 0 })

/** @returns what was added */
function addBytes(account: MutableBytes, type: TensorType): number {
  const bytes = tensorBytes(type)
  account[type.dtype] = (account[type.dtype] ?? 0) + bytes
  account.total += bytes
  return bytes
}

/**
 * The parameters that a layer reads, itself or through what is made of them; one that two layers share counts at the first. Its
 * type is the one that the layer reads, or that it is kept in where that is smaller.
 */
function countParameters(layer: Node, prepared: ReadonlySet<Node>, counted: Set<Node>, bytes: MutableBytes) {
  let parameters = 0
  let layerBytes = 0
  const visit = ({ node, type }: Value): void => {
    if (!prepared.has(node) || counted.has(node)) return
    counted.add(node)
    if (node.op !== 'parameter') {
      for (const input of node.inputs) visit(node.op === 'cast' ? { ...input, type: smaller(input.type, type) } : input)
      return
    }
    parameters += elements(type.shape)
    layerBytes += addBytes(bytes, type)
  }
  for (const input of layer.inputs) visit(input)
  return { parameters, layerBytes }
}

const smaller = (a: TensorType, b: TensorType): TensorType => (tensorBytes(b) < tensorBytes(a) ? b : a)
