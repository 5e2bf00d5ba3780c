/**
 * @file EfficientNet B0 to B7. Tan and Le 2019 (arXiv 1905.11946): B0 is table 1, the others scale its width, depth and
 * resolution together. Names and normalization are torchvision's.
 */
import type { Value } from '../graph/graph.js'
import { type BatchNormOptions, batchNorm } from '../nn/batch-norm.js'
import { type Conv2dOptions, conv2d } from '../nn/conv2d.js'
import { linear } from '../nn/linear.js'
import type { Scope } from '../nn/scope.js'
import { squeezeExcite } from '../nn/squeeze-excite.js'
import { activationOps } from '../ops/activation.js'
import { add } from '../ops/add.js'
import { dropout } from '../ops/dropout.js'
import { flatten } from '../ops/flatten.js'
import { globalAveragePool } from '../ops/global-average-pool.js'
import { stochasticDepth } from '../ops/stochastic-depth.js'
import { group, type Rows } from '../settings/group.js'
import { choice, number, whole } from '../settings/kinds.js'
import type { Setting } from '../settings/setting.js'
import { buildModel, type ModelOptions, modelSettings, normEpsilon } from './build.js'
import type { Model } from './model.js'

/** Table 1, stages 2 to 8: MBConv blocks with their expansion, window, stride, channels and number of layers. */
const stages = [
  { expansion: 1, kernel: 3, stride: 1, channels: 16, layers: 1 },
  { expansion: 6, kernel: 3, stride: 2, channels: 24, layers: 2 },
  { expansion: 6, kernel: 5, stride: 2, channels: 40, layers: 2 },
  { expansion: 6, kernel: 3, stride: 2, channels: 80, layers: 3 },
  { expansion: 6, kernel: 5, stride: 1, channels: 112, layers: 3 },
  { expansion: 6, kernel: 5, stride: 2, channels: 192, layers: 4 },
  { expansion: 6, kernel: 3, stride: 1, channels: 320, layers: 1 },
]

/**
 * Compound scaling (section 3.3): width 1.1^φ, depth 1.2^φ, resolution 1.15^φ, rounded as the authors published them;
 * dropout grows with the model (section 5.2). B5 to B7 normalize with torchvision's ε 0.001 and momentum 0.01.
 */
const variants = [
  { variant: 'b0', width: 1.0, depth: 1.0, resolution: 224, dropout: 0.2 },
  { variant: 'b1', width: 1.0, depth: 1.1, resolution: 240, dropout: 0.2 },
  { variant: 'b2', width: 1.1, depth: 1.2, resolution: 260, dropout: 0.3 },
  { variant: 'b3', width: 1.2, depth: 1.4, resolution: 300, dropout: 0.3 },
  { variant: 'b4', width: 1.4, depth: 1.8, resolution: 380, dropout: 0.4 },
  { variant: 'b5', width: 1.6, depth: 2.2, resolution: 456, dropout: 0.4, norm: { epsilon: 1e-3, momentum: 0.01 } },
  { variant: 'b6', width: 1.8, depth: 2.6, resolution: 528, dropout: 0.5, norm: { epsilon: 1e-3, momentum: 0.01 } },
  { variant: 'b7', width: 2.0, depth: 3.1, resolution: 600, dropout: 0.5, norm: { epsilon: 1e-3, momentum: 0.01 } },
]

export const efficientnetVariants: readonly string[] = variants.map(({ variant }) => variant)

/** Channels go to the nearest multiple of 8, but never down by more than a tenth. */
export function scaleWidth(channels: number, width: number): number {
  const scaled = channels * width
  const rounded = Math.max(8, Math.floor((scaled + 4) / 8) * 8)
  return rounded < 0.9 * scaled ? rounded + 8 : rounded
}

/** Layers are rounded up. */
export const scaleDepth = (layers: number, depth: number): number => Math.ceil(layers * depth)

/** What all layers of a network have in common. */
interface Common {
  readonly norm: BatchNormOptions
  /** As the option of `Conv2dOptions`; undefined: its default. */
  readonly padding: 'same' | undefined
}

/** Convolution `0`, batch-norm `1` and, unless `linear`, SiLU `2`. */
function convNormActivation(
  scope: Scope,
  x: Value,
  options: Conv2dOptions,
  { norm, padding }: Common,
  activation: 'silu' | 'linear' = 'silu',
): Value {
  const y = batchNorm(scope.at(1), conv2d(scope.at(0), x, { ...options, ...(padding && { padding }) }), norm)
  return activation === 'linear' ? y : scope.builder.emit(activationOps.silu, [y], {}, scope.name('2'))
}

interface MBConv {
  readonly expansion: number
  readonly kernel: number
  readonly stride: number
  readonly channels: number
  /** Probability that stochastic depth drops the block's branch. */
  readonly dropRate: number
  readonly common: Common
}

/** Inverted bottleneck (Sandler et al. 2018) with squeeze-and-excitation to a quarter of the block's input channels. */
function mbConv(scope: Scope, x: Value, { expansion, kernel, stride, channels, dropRate, common }: MBConv): Value {
  const inputs = x.type.shape[3]
  const wide = scaleWidth(inputs, expansion)
  const block = scope.at('block')
  let index = 0
  let y = x
  if (wide !== inputs) y = convNormActivation(block.at(index++), y, { filters: wide }, common)
  y = convNormActivation(block.at(index++), y, { filters: wide, kernel, stride, groups: wide }, common)
  y = squeezeExcite(block.at(index++), y, Math.max(1, Math.floor(inputs / 4)))
  y = convNormActivation(block.at(index), y, { filters: channels }, common, 'linear')
  if (stride !== 1 || inputs !== channels) return y
  const { builder } = scope
  const kept = builder.emit(stochasticDepth, [y], { rate: dropRate, stream: 0 }, scope.name('stochastic_depth'))
  return builder.emit(add, [kept, x], {}, scope.path)
}

/** What can be chosen of an EfficientNet beside its variant. */
export interface EfficientnetOptions extends ModelOptions {
  /** `b0` … `b7`. */
  readonly variant: string
  /** Stride of the first convolution. Default 2, and 1 for images of at most 48 pixels, which it would halve too soon. */
  readonly stemStride?: 1 | 2
  /**
   * Zeros around images: `symmetric` as in PyTorch, or `same` as in TensorFlow, which pads an even image less before than after
   * where the stride is 2. Weights belong to the padding that they were trained with. Default `symmetric`.
   */
  readonly padding?: 'symmetric' | 'same'
  /** ε of the batch-norms. Default: 1e-5, and 1e-3 from B5 on, as torchvision's; TensorFlow's networks have 1e-3. */
  readonly normEpsilon?: number
  /** Before the classifier. Default: the variant's. */
  readonly dropout?: number
  /** Of the last block; it grows linearly from 0 (Huang et al. 2016). Default 0.2. */
  readonly stochasticDepth?: number
}

/** The table of `EfficientnetOptions`, but for the variant. */
export const efficientnetSettings = {
  ...modelSettings,
  stemStride: (whole('of the first convolution', { from: 1, to: 2 }) as Setting<1 | 2>).optional(),
  padding: choice('zeros around images', ['symmetric', 'same']).default('symmetric'),
  normEpsilon: normEpsilon.optional(),
  dropout: number("before the classifier (default: the variant's)", { from: 0, below: 1 }).optional(),
  stochasticDepth: number('of the last block', { from: 0, below: 1 }).default(0.2),
} satisfies Rows<Omit<EfficientnetOptions, 'variant'>>

const efficientnetOptions = group('what can be chosen of an EfficientNet', {
  ...efficientnetSettings,
  variant: choice('by its published name', efficientnetVariants),
} satisfies Rows<EfficientnetOptions>)

/**
 * An EfficientNet. Defaults: the variant's resolution, 1000 classes.
 * @throws InvalidArgumentError for an unknown variant
 */
export function efficientnet(options: EfficientnetOptions): Model {
  const { variant, stochasticDepth: mostDropped, ...settings } = efficientnetOptions.parse(options, '')
  const row = variants.find(row => row.variant === variant)!
  const { width, depth, resolution } = row
  const defaults = { classes: 1000, input: [resolution, resolution, 3] } as const
  return buildModel(`efficientnet-${variant}`, settings, defaults, (scope, image, classes) => {
    const { builder } = scope
    const { stemStride = image.type.shape[1] <= 48 ? 1 : 2, normEpsilon: epsilon = row.norm?.epsilon } = settings
    const common: Common = {
      norm: { ...row.norm, ...(epsilon !== undefined && { epsilon }) },
      padding: settings.padding === 'same' ? 'same' : undefined,
    }
    const features = scope.at('features')
    const stem = { filters: scaleWidth(32, width), kernel: 3, stride: stemStride }
    let x = convNormActivation(features.at(0), image, stem, common)
    const total = stages.reduce((sum, stage) => sum + scaleDepth(stage.layers, depth), 0)
    let done = 0
    stages.forEach((stage, s) => {
      const channels = scaleWidth(stage.channels, width)
      for (let i = 0; i < scaleDepth(stage.layers, depth); i++) {
        const dropRate = (mostDropped * done++) / total
        const stride = i === 0 ? stage.stride : 1
        x = mbConv(features.at(s + 1).at(i), x, { ...stage, channels, stride, dropRate, common })
      }
    })
    const head = features.at(stages.length + 1)
    x = convNormActivation(head, x, { filters: 4 * scaleWidth(320, width) }, common)
    const pooled = builder.emit(globalAveragePool, [x], {}, 'avgpool')
    const flat = builder.emit(flatten, [pooled], {}, 'flatten')
    const rate = settings.dropout ?? row.dropout
    const kept = builder.emit(dropout, [flat], { rate, stream: 0 }, 'classifier.0')
    const initializer = { type: 'uniform', bound: 1 / Math.sqrt(classes) } as const
    return linear(scope.at('classifier').at(1), kept, { features: classes, initializer })
  })
}
