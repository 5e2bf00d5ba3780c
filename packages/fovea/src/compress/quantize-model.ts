/**
 * @file Post-training quantization: weights and activations of convolutions and matrices as integers of 8 bits, without
 * training. The graph says so explicitly, as ONNX's does, by `quantize` and `dequantize` between layers; from these an engine
 * finds what it can compute in integers (passes/integer-arithmetic.ts).
 */
import type { Dataset } from '../data/dataset.js'
import { dataset } from '../data/dataset-setting.js'
import type { Engine } from '../engines/engine.js'
import { engine } from '../engines/engine-setting.js'
import { InvalidArgumentError, SettingError } from '../errors.js'
import type { Node, Value } from '../graph/graph.js'
import { matches } from '../graph/patterns.js'
import { elements } from '../graph/types.js'
import type { Model, Weights } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import type { GraphBuilder } from '../ops/builder.js'
import { opDefinition } from '../ops/index.js'
import { rewrite } from '../passes/rewrite.js'
import { group, type Rows } from '../settings/group.js'
import { choice, list, text, whole } from '../settings/kinds.js'
import { type RangeMethod, rangeMethods, type Scale, scaleOf } from './activation-range.js'
import { calibrate } from './calibrate.js'
import { expectFloat32 } from './expect-float32.js'
import { foldNorms } from './fold-norms.js'
import {
  activationsOf,
  emitIntegerLayer,
  integerLayers,
  isLayer,
  parametersOf,
  roundedActivation,
  sourceOf,
} from './integer-layers.js'
import { measuringOn } from './over-batches.js'
import { signalToNoise } from './signal-to-noise.js'

/** What is quantized, and by which images. */
export interface QuantizeOptions {
  /** Some hundreds of training images: they show which numbers activations take. */
  readonly images: Dataset
  /** How the range of an activation is chosen. Default `mse`. */
  readonly ranges?: RangeMethod
  /**
   * 7 for processors that add the products of integers up in 16 bits (x86 without VNNI): there, 8 could overflow, and are
   * computed in float32. Default 8.
   */
  readonly weightBits?: number
  /** Patterns over names of layers that stay float32, such as `conv1`. Default: none. */
  readonly keepFloat32?: readonly string[]
  /** Images at a time. Default 32. */
  readonly batchSize?: number
  /** Default: the native engine where it is built, else the reference engine. */
  readonly engine?: Engine
}

const quantizeOptions = group('how a model is quantized', {
  images: dataset('training images, which show what numbers activations take'),
  ranges: choice('how the range of an activation is chosen', rangeMethods).default('mse'),
  weightBits: whole('bits of a weight', { from: 7, to: 8 }).default(8),
  keepFloat32: list(
    'layers that stay float32, such as conv1,layer1.*',
    'patterns over names of layers',
    text('a pattern'),
  ).default([]),
  batchSize: whole('images at a time', { from: 1 }).default(32),
  engine,
} satisfies Rows<QuantizeOptions>)

/** A convolution or matrix, and whether it computes in integers. */
export interface QuantizedLayer {
  /** Where it stands in the model: `layer1.0.conv1`. */
  readonly name: string
  readonly dtype: 'int8' | 'float32'
  /**
   * Of one in integers: its results beside what rounding its weights and inputs changes of them, all else in float32, in dB.
   * From 40 on, a hundredth; at 20, a tenth.
   */
  readonly signalToNoise?: number
}

/** A quantized model, and what became of each layer. */
export interface QuantizedModel {
  readonly model: Model
  readonly layers: readonly QuantizedLayer[]
}

/**
 * The model in integers: weights int8, symmetric by output channel; activations uint8, asymmetric, one scale for each; biases
 * int32 (Jacob et al. 2018, arXiv 1712.05877; Krishnamoorthi 2018, arXiv 1806.08342). Norms are folded before. What is no
 * convolution and no matrix computes in float32.
 * @returns a model that can be measured, saved and exported, and trained no more
 * @throws InvalidArgumentError for options or images that do not fit, a model that is quantized already, and images that are all
 * of one color
 */
export async function quantizeModel(model: Model, options: QuantizeOptions): Promise<QuantizedModel> {
  modelOf(model)
  const { images, ranges: method, weightBits, keepFloat32, batchSize, engine } = quantizeOptions.parse(options, '')
  expectFloat32(model)
  const measuredOn = await measuringOn(model, 'images', images, { batchSize, ...(engine && { engine }) })
  checkImages(images)
  const folded = foldNorms(model)
  const all = folded.graph.nodes.filter(isLayer)
  const kept = keptLayers(all, keepFloat32)
  const chosen = new Set(integerLayers(folded.graph).filter(node => !kept.has(node)))
  const roots = new Map([...chosen].flatMap(activationsOf).map(value => [value.node, value] as const))
  const ranges = await calibrate(folded, [...roots.values()], method, measuredOn)
  const scales = new Map([...ranges].map(([{ node }, range]) => [node, scaleOf(range)] as const))
  const largest = 2 ** (weightBits - 1) - 1
  const noise = await signalToNoise(folded, [...chosen], { scales, largest }, measuredOn)
  return {
    model: withIntegers(folded, chosen, scales, largest),
    layers: all.map(node => {
      const signalToNoise = noise.get(node)
      return signalToNoise === undefined
        ? { name: node.name, dtype: 'float32' }
        : { name: node.name, dtype: 'int8', signalToNoise }
    }),
  }
}

/** @throws SettingError for a pattern that matches no layer: it is misspelt */
function keptLayers(layers: readonly Node[], patterns: readonly string[]): Set<Node> {
  const misspelt = patterns.find(pattern => !layers.some(({ name }) => matches(pattern, name)))
  if (misspelt !== undefined) {
    const some = layers.slice(0, 3).map(({ name }) => name)
    throw new SettingError('keepFloat32', `'${misspelt}' matches no layer; there are ${some.join(', ')}, …`)
  }
  return new Set(layers.filter(({ name }) => patterns.some(pattern => matches(pattern, name))))
}

/** @throws InvalidArgumentError for images from which no range can be learned: all of one color */
function checkImages(images: Dataset): void {
  const { name, length, imageShape } = images
  const image = new Uint8Array(elements(imageShape))
  let color: number | undefined
  for (let i = 0; i < length; i++) {
    images.read([i], image)
    color ??= image[0]
    if (image.some(value => value !== color)) return
  }
  throw new InvalidArgumentError(`all ${length} images of '${name}' are of one color: ranges are found on photos`)
}

/** @param scales of activations, by the node that makes them */
function withIntegers(
  model: Model,
  chosen: ReadonlySet<Node>,
  scales: ReadonlyMap<Node, Scale>,
  largest: number,
): Model {
  const own = new Set([...chosen].flatMap(parametersOf))
  const weights: Weights = new Map(model.weights)
  for (const { name } of own) weights.delete(name)
  const graph = rewrite(model.graph, (node, { builder, mapped }) => {
    if (own.has(node)) return []
    const scale = scales.get(node)
    if (!chosen.has(node) && scale === undefined) return undefined
    const [first, ...others] = chosen.has(node) ? integers(node, builder, mapped) : copied(node, builder, mapped)
    return [scale ? roundedActivation(builder, first, scale) : first, ...others]
  })
  return { ...model, graph, weights }

  function integers(node: Node, builder: GraphBuilder, mapped: (value: Value) => Value): readonly Value[] {
    const [x, , , residual] = node.inputs
    const inputs = [x, ...(residual ? [residual] : [])].map(mapped)
    const scale = scales.get(sourceOf(x).node)!
    const { outputs, state } = emitIntegerLayer(builder, node, inputs, { weights: model.weights, scale, largest })
    for (const [name, values] of state) weights.set(name, values)
    return outputs
  }
}

const copied = (
  { op, name, inputs, attrs, outputs: [type] }: Node,
  builder: GraphBuilder,
  mapped: (value: Value) => Value,
) =>
  op === 'input'
    ? [builder.input(name, type.shape, type.dtype)]
    : builder.emitAll(opDefinition(op), inputs.map(mapped), attrs, name)
