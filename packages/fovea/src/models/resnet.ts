/**
 * @file Residual networks. He et al. 2015 (arXiv 1512.03385): the ImageNet family of table 1, with the stride of a
 * bottleneck on its 3×3 convolution as torchvision has it ("v1.5"), and the CIFAR family of section 4.2, whose shortcuts
 * have no parameters (option A).
 */
import { nearestHint, SettingError } from '../errors.js'
import type { Value } from '../graph/graph.js'
import { type BatchNormOptions, batchNorm } from '../nn/batch-norm.js'
import { conv2d } from '../nn/conv2d.js'
import { linear } from '../nn/linear.js'
import type { Scope } from '../nn/scope.js'
import { activationOps } from '../ops/activation.js'
import { add } from '../ops/add.js'
import { flatten } from '../ops/flatten.js'
import { globalAveragePool } from '../ops/global-average-pool.js'
import { maxPool } from '../ops/max-pool.js'
import { pad } from '../ops/pad.js'
import { slice } from '../ops/slice.js'
import { group, type Rows } from '../settings/group.js'
import { choice, whole } from '../settings/kinds.js'
import { buildModel, type ModelOptions, modelOptions, modelSettings, normEpsilon } from './build.js'
import type { Model } from './model.js'

interface BlockOptions {
  readonly channels: number
  readonly stride: number
  readonly common: Common
}

/** What all blocks of a network have in common. */
interface Common {
  readonly norm: BatchNormOptions
  /** Of a bottleneck. */
  readonly stridedConvolution: 'conv1' | 'conv2'
}

type Block = (scope: Scope, x: Value, options: BlockOptions, shortcut: Shortcut) => Value
type Shortcut = (scope: Scope, x: Value, options: BlockOptions) => Value

const relu = (scope: Scope, x: Value, name = 'relu'): Value =>
  scope.builder.emit(activationOps.relu, [x], {}, scope.name(name))

const residual = (scope: Scope, branch: Value, shortcut: Value, name = 'relu'): Value =>
  relu(scope, scope.builder.emit(add, [branch, shortcut], {}, scope.name('add')), name)

/** Two 3×3 convolutions (figure 5, left). */
const basicBlock: Block = (scope, x, options, shortcut) => {
  const { channels, stride, common } = options
  const { norm } = common
  let y = conv2d(scope.at('conv1'), x, { filters: channels, kernel: 3, stride })
  y = relu(scope, batchNorm(scope.at('bn1'), y, norm), 'relu1')
  y = conv2d(scope.at('conv2'), y, { filters: channels, kernel: 3 })
  return residual(scope, batchNorm(scope.at('bn2'), y, norm), shortcut(scope, x, options), 'relu2')
}

/** 1×1 to fewer channels, 3×3, 1×1 to four times as many (figure 5, right). */
const bottleneck: Block = (scope, x, { channels, stride, common }, shortcut) => {
  const { norm, stridedConvolution } = common
  const strideOf = (name: string): number => (name === stridedConvolution ? stride : 1)
  let y = conv2d(scope.at('conv1'), x, { filters: channels, stride: strideOf('conv1') })
  y = relu(scope, batchNorm(scope.at('bn1'), y, norm), 'relu1')
  y = conv2d(scope.at('conv2'), y, { filters: channels, kernel: 3, stride: strideOf('conv2') })
  y = relu(scope, batchNorm(scope.at('bn2'), y, norm), 'relu2')
  y = batchNorm(scope.at('bn3'), conv2d(scope.at('conv3'), y, { filters: 4 * channels }), norm)
  return residual(scope, y, shortcut(scope, x, { channels: 4 * channels, stride, common }), 'relu3')
}

/** Option B: where the shape changes, a 1×1 convolution and a batch-norm. */
const projection: Shortcut = (scope, x, { channels, stride, common }) => {
  if (stride === 1 && x.type.shape[3] === channels) return x
  const down = scope.at('downsample')
  return batchNorm(down.at(1), conv2d(down.at(0), x, { filters: channels, stride }), common.norm)
}

/** Option A: every second pixel, and zeros for the new channels, half of them before, half after. */
const zeroPadding: Shortcut = (scope, x, { channels, stride }) => {
  const added = channels - x.type.shape[3]
  if (stride === 1 && added === 0) return x
  const { builder } = scope
  const step = [1, stride, stride, 1]
  const window = { start: [0, 0, 0, 0], stop: [-1, -1, -1, -1], step }
  const pixels = builder.emit(slice, [x], window, scope.name('shortcut.slice'))
  const before = Math.floor(added / 2)
  const zeros = { before: [0, 0, 0, before], after: [0, 0, 0, added - before], value: 0 }
  return builder.emit(pad, [pixels], zeros, scope.name('shortcut.pad'))
}

/** Stages `layer1`, `layer2`, …: the first block of each but the first halves the image. */
function stages(
  scope: Scope,
  x: Value,
  widths: readonly number[],
  blocks: readonly number[],
  block: Block,
  by: Shortcut,
  common: Common,
) {
  widths.forEach((channels, stage) => {
    const layer = scope.at(`layer${stage + 1}`)
    for (let i = 0; i < blocks[stage]; i++) {
      x = block(layer.at(i), x, { channels, stride: stage > 0 && i === 0 ? 2 : 1, common }, by)
    }
  })
  return x
}

function classifier(scope: Scope, x: Value, classes: number): Value {
  const pooled = scope.builder.emit(globalAveragePool, [x], {}, scope.name('avgpool'))
  const flat = scope.builder.emit(flatten, [pooled], {}, scope.name('flatten'))
  return linear(scope.at('fc'), flat, { features: classes })
}

/** Table 1. */
const imagenetVariants = [
  { depth: 18, block: basicBlock, blocks: [2, 2, 2, 2] },
  { depth: 34, block: basicBlock, blocks: [3, 4, 6, 3] },
  { depth: 50, block: bottleneck, blocks: [3, 4, 6, 3] },
  { depth: 101, block: bottleneck, blocks: [3, 4, 23, 3] },
  { depth: 152, block: bottleneck, blocks: [3, 8, 36, 3] },
]

/** Table 6: depth 6n + 2, n blocks in each of three stages. */
const cifarDepths = [20, 32, 44, 56, 110]

export const resnetDepths: readonly number[] = [...cifarDepths, ...imagenetVariants.map(({ depth }) => depth)]

/** What can be chosen of a ResNet beside its depth. */
export interface ResnetOptions extends ModelOptions {
  /** 20, 32, 44, 56, 110 for small images; 18, 34, 50, 101, 152 for large ones. */
  readonly depth: number
  /**
   * Which convolution of a bottleneck halves the image: the 3×3 (`conv2`) as in torchvision, or the first (`conv1`) as in the paper and
   * in Keras. Weights belong to the one that they were trained with. Default `conv2`; networks of 50 layers and more have it.
   */
  readonly stridedConvolution?: 'conv1' | 'conv2'
  /** ε of the batch-norms. Default 1e-5; Keras's networks have 1.001e-5. */
  readonly normEpsilon?: number
}

/** The table of `ResnetOptions`, but for the depth. */
export const resnetSettings = {
  ...modelSettings,
  stridedConvolution: choice('which one of a bottleneck halves the image', ['conv1', 'conv2']).optional(),
  normEpsilon: normEpsilon.default(1e-5),
} satisfies Rows<Omit<ResnetOptions, 'depth'>>

const resnetOptions = group('what can be chosen of a ResNet', {
  ...resnetSettings,
  depth: whole('layers').refine((depth, path) => {
    if (resnetDepths.includes(depth)) return
    const hint = nearestHint(String(depth), resnetDepths.map(String))
    throw new SettingError(path, `there is no ResNet of ${depth} layers${hint}`)
  }),
} satisfies Rows<ResnetOptions>)

/**
 * A residual network. Defaults: 32×32×3 and 10 classes for the CIFAR family, 224×224×3 and 1000 classes for ImageNet's.
 * @throws InvalidArgumentError for a depth that the paper does not have
 */
export function resnet(options: ResnetOptions): Model {
  const { depth, stridedConvolution, normEpsilon: epsilon, ...settings } = resnetOptions.parse(options, '')
  const name = `resnet${depth}`
  const variant = imagenetVariants.find(row => row.depth === depth)
  if (stridedConvolution !== undefined && variant?.block !== bottleneck) {
    throw new SettingError('stridedConvolution', `${name} has no bottlenecks: leave it out`)
  }
  const common: Common = { norm: { epsilon }, stridedConvolution: stridedConvolution ?? 'conv2' }
  if (variant === undefined) {
    const each = Array<number>(3).fill((depth - 2) / 6)
    return buildModel(name, settings, { classes: 10, input: [32, 32, 3] }, (scope, image, classes) => {
      const first = conv2d(scope.at('conv1'), image, { filters: 16, kernel: 3 })
      const stem = relu(scope, batchNorm(scope.at('bn1'), first, common.norm))
      return classifier(scope, stages(scope, stem, [16, 32, 64], each, basicBlock, zeroPadding, common), classes)
    })
  }
  const { block, blocks } = variant
  return buildModel(name, settings, { classes: 1000, input: [224, 224, 3] }, (scope, image, classes) => {
    const wide = conv2d(scope.at('conv1'), image, { filters: 64, kernel: 7, stride: 2 })
    const stem = relu(scope, batchNorm(scope.at('bn1'), wide, common.norm))
    const window = { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] } as const
    const pooled = scope.builder.emit(maxPool, [stem], window, scope.name('maxpool'))
    return classifier(scope, stages(scope, pooled, [64, 128, 256, 512], blocks, block, projection, common), classes)
  })
}

/**
 * The 8-layer network of MLPerf Tiny's image classification (Banbury et al. 2021, arXiv 2106.07597): three blocks of 16,
 * 32 and 64 channels; every convolution has a bias, and the shortcuts of the second and third block are 1×1 convolutions
 * without batch-norm. Defaults: 32×32×3, 10 classes.
 */
export function resnet8(options: ModelOptions = {}): Model {
  const settings = modelOptions.parse(options, '')
  return buildModel('resnet8', settings, { classes: 10, input: [32, 32, 3] }, (scope, image, classes) => {
    const first = conv2d(scope.at('conv1'), image, { filters: 16, kernel: 3, bias: true })
    let x = relu(scope, batchNorm(scope.at('bn1'), first))
    for (const [index, channels] of [16, 32, 64].entries()) {
      const block = scope.at(`layer${index + 1}`).at(0)
      const stride = index === 0 ? 1 : 2
      let y = conv2d(block.at('conv1'), x, { filters: channels, kernel: 3, stride, bias: true })
      y = relu(block, batchNorm(block.at('bn1'), y), 'relu1')
      y = batchNorm(block.at('bn2'), conv2d(block.at('conv2'), y, { filters: channels, kernel: 3, bias: true }))
      const shortcut =
        stride === 1 ? x : conv2d(block.at('downsample').at(0), x, { filters: channels, stride, bias: true })
      x = residual(block, y, shortcut, 'relu2')
    }
    return classifier(scope, x, classes)
  })
}
