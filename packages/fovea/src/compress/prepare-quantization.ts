/**
 * @file The first half of quantization: norms are folded, the ranges of activations found on images, and numbers rounded as
 * integers will be, while all is float32 still. Such a model shows what integers will cost, and can be trained to bear them
 * (Jacob et al. 2018, arXiv 1712.05877, section 3). The second half is convert-quantization.ts.
 */
import type { Dataset } from '../data/dataset.js'
import { dataset } from '../data/dataset-setting.js'
import type { Engine } from '../engines/engine.js'
import { engine } from '../engines/engine-setting.js'
import { InvalidArgumentError } from '../errors.js'
import type { Node, Value } from '../graph/graph.js'
import { elements } from '../graph/types.js'
import type { Model, Weights } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { activationOps } from '../ops/activation.js'
import { add } from '../ops/add.js'
import type { FusedConv2dAttributes } from '../ops/conv2d.js'
import { fakeQuantize, fakeQuantizeWeights } from '../ops/fake-quantize.js'
import { opDefinition } from '../ops/index.js'
import { type ActivationRange, scaleOf } from '../ops/quantization.js'
import { type RewriteContext, rewrite } from '../passes/rewrite.js'
import { group, type Rows } from '../settings/group.js'
import { choice, flag, whole } from '../settings/kinds.js'
import { type RangeMethod, rangeMethods } from './activation-range.js'
import { calibrate } from './calibrate.js'
import { expectUnprepared } from './convert-quantization.js'
import { correctBiases } from './correct-biases.js'
import { equalizeLayers } from './equalize-layers.js'
import { expectFloat32 } from './expect-float32.js'
import { foldNorms } from './fold-norms.js'
import { integerActivations, integerLayers, isLayer } from './integer-layers.js'
import { keepFloat32Setting, keptLayers } from './kept-layers.js'
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
   * computed in float32. Default: those of the engine (`Engine.weightBits`).
   */
  readonly weightBits?: number
  /** Makes channels of neighbouring layers evenly large first (equalize-layers.ts). Default false. */
  readonly equalize?: boolean
  /** Takes back by biases what rounding moves the means of layers (correct-biases.ts). Default false. */
  readonly correctBiases?: boolean
  /** Patterns over names of layers that stay float32, such as `conv1`. Default: none. */
  readonly keepFloat32?: readonly string[]
  /** Images at a time. Default 32. */
  readonly batchSize?: number
  /** Default: the best that is there (`defaultEngine`). */
  readonly engine?: Engine
}

const quantizeOptions = group('how a model is quantized', {
  images: dataset('training images, which show what numbers activations take'),
  ranges: choice('how the range of an activation is chosen', rangeMethods).default('mse'),
  weightBits: whole('bits of a weight', { from: 7, to: 8 }).optional(),
  equalize: flag('whether channels of neighbouring layers are made evenly large').default(false),
  correctBiases: flag('whether biases take back what rounding moves').default(false),
  keepFloat32: keepFloat32Setting,
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
   * From 40 on, a hundredth; at 20, a tenth. Absent where rounding changes nothing, as in a layer of zeros.
   */
  readonly signalToNoise?: number
}

/** A quantized model, or one that is prepared for it, and what becomes of each layer. */
export interface QuantizedModel {
  readonly model: Model
  readonly layers: readonly QuantizedLayer[]
}

/**
 * The model with its norms folded, dropout and stochastic depth gone, and the weights and inputs of its layers rounded as
 * integers will be: `train` trains it as any model, with gradients that go straight through the rounding and ranges that
 * follow the activations; `convertQuantization` makes integers of it. Training and evaluation compute the same.
 * @throws InvalidArgumentError for options or images that do not fit, a model that is quantized or prepared already, and
 * images that are all of one color
 */
export async function prepareQuantization(model: Model, options: QuantizeOptions): Promise<QuantizedModel> {
  modelOf(model)
  const settings = quantizeOptions.parse(options, '')
  const { images, ranges: method, keepFloat32, batchSize, engine } = settings
  expectFloat32(model)
  expectUnprepared(model)
  const measuredOn = await measuringOn(model, 'images', images, { batchSize, ...(engine && { engine }) })
  checkImages(images)
  const folded = settings.equalize ? equalizeLayers(foldNorms(model)) : foldNorms(model)
  const all = folded.graph.nodes.filter(isLayer)
  const kept = keptLayers(all, keepFloat32)
  const chosen = new Set(integerLayers(folded.graph).filter(node => !kept.has(node)))
  if (chosen.size === 0) {
    const why = keepFloat32.length > 0 ? 'keepFloat32 keeps all that could' : 'it has none with weights of its own'
    throw new InvalidArgumentError(`no layer of ${model.name} becomes integers: ${why}`)
  }
  const ranges = await calibrate(folded, integerActivations(folded.graph, chosen), method, measuredOn)
  const rangeOf = new Map([...ranges].map(([{ node }, range]) => [node, range] as const))
  const scales = new Map([...rangeOf].map(([node, range]) => [node, scaleOf(range)] as const))
  const { weightBits = measuredOn.engine.weightBits } = settings
  const largest = 2 ** (weightBits - 1) - 1
  const rounding = { scales, largest }
  const corrected = settings.correctBiases ? await correctBiases(folded, [...chosen], rounding, measuredOn) : folded
  const noise = await signalToNoise(corrected, [...chosen], rounding, measuredOn)
  return {
    model: withRounding(corrected, chosen, rangeOf, largest),
    layers: all.map(node => {
      if (!chosen.has(node)) return { name: node.name, dtype: 'float32' }
      const signalToNoise = noise.get(node)
      return { name: node.name, dtype: 'int8', ...(signalToNoise !== undefined && { signalToNoise }) }
    }),
  }
}

/** @throws InvalidArgumentError for images from which no range can be learned: all of one color */
function checkImages(images: Dataset): void {
  const { name, length, imageShape } = images
  const [, , channels] = imageShape
  const image = new Uint8Array(elements(imageShape))
  let color: Uint8Array | undefined
  for (let i = 0; i < length; i++) {
    images.read([i], image)
    color ??= image.slice(0, channels)
    for (let at = 0; at < image.length; at++) if (image[at] !== color[at % channels]) return
  }
  throw new InvalidArgumentError(`all ${length} images of '${name}' are of one color: ranges are found on photos`)
}

/** @param ranges of activations, by the node that makes them */
function withRounding(
  model: Model,
  chosen: ReadonlySet<Node>,
  ranges: ReadonlyMap<Node, ActivationRange>,
  largest: number,
): Model {
  const weights: Weights = new Map(model.weights)
  const graph = rewrite(model.graph, (node, context) => {
    const range = ranges.get(node)
    if (!isLayer(node) && range === undefined) return undefined
    const [y, ...others] = isLayer(node) ? [separated(node, context)] : copied(node, context)
    return [range ? rounded(y, range, context) : y, ...others]
  })
  return { ...model, graph, weights }

  function rounded(x: Value, { low, high }: ActivationRange, { builder }: RewriteContext): Value {
    const extent = builder.buffer(`${x.node.name}.extent`, [2], { type: 'zeros' })
    weights.set(extent.node.name, Float32Array.of(-low, high))
    return builder.emit(fakeQuantize, [x, extent], {}, `${x.node.name}.rounded`)
  }

  /** Apart from its residual and activation: training knows the gradient of each by itself. */
  function separated(layer: Node, { builder, mapped }: RewriteContext): Value {
    const { op, name } = layer
    const [x, weight, bias, residual] = layer.inputs.map(mapped)
    const { activation, ...attrs } = layer.attrs as FusedConv2dAttributes
    const own = chosen.has(layer)
      ? builder.emit(fakeQuantizeWeights, [weight], { largest }, `${weight.node.name}.rounded`)
      : weight
    let y = builder.emit(opDefinition(op), [x, own, ...(bias ? [bias] : [])], attrs, name)
    if (residual !== undefined) y = builder.emit(add, [y, residual], {}, `${name}.sum`)
    return activation === undefined ? y : builder.emit(activationOps[activation], [y], {}, `${name}.${activation}`)
  }
}

const copied = (
  { op, name, inputs, attrs, outputs: [type] }: Node,
  { builder, mapped }: RewriteContext,
): readonly Value[] =>
  op === 'input'
    ? [builder.input(name, type.shape, type.dtype)]
    : builder.emitAll(opDefinition(op), inputs.map(mapped), attrs, name)
