/**
 * @file The network of Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU" (arXiv 2404.00498), section 3 and
 * appendix A: a fixed whitening convolution, six 3×3 convolutions in three groups that begin as the identity, GELU, norms
 * without a weight. Made for the recipe `fast`: most accuracy for the time.
 */
import type { Value } from '../graph/graph.js'
import { batchNorm } from '../nn/batch-norm.js'
import { conv2d } from '../nn/conv2d.js'
import { linear } from '../nn/linear.js'
import type { Scope } from '../nn/scope.js'
import { activationOps } from '../ops/activation.js'
import { flatten } from '../ops/flatten.js'
import { maxPool } from '../ops/max-pool.js'
import { multiply } from '../ops/multiply.js'
import { buildModel, type ModelOptions, modelOptions } from './build.js'
import type { Model } from './model.js'

/** Channels of the three groups. */
const widths = [64, 256, 256]

/** The logits are small at the start, so that the first steps are gentle. */
const LOGIT_SCALE = 1 / 9

const gelu = (scope: Scope, x: Value, name: string): Value =>
  scope.builder.emit(activationOps.gelu, [x], {}, scope.name(name))

const pool = (scope: Scope, x: Value, size: number): Value =>
  scope.builder.emit(
    maxPool,
    [x],
    { kernel: [size, size], stride: [size, size], padding: [0, 0, 0, 0] },
    scope.name('pool'),
  )

/** Passes its input on in its first filters (dirac); the rest start as PyTorch's convolutions do, within ±1/√fan in. */
const convolution = (scope: Scope, x: Value, filters: number): Value =>
  conv2d(scope, x, {
    filters,
    kernel: 3,
    initializer: { type: 'dirac', bound: 1 / Math.sqrt(9 * x.type.shape[3]) },
  })

/** No weight; the running statistics follow quickly, as there are few steps. */
const norm = (scope: Scope, x: Value): Value => batchNorm(scope, x, { weight: 'buffer', epsilon: 1e-12, momentum: 0.4 })

/** Convolution, pooling, norm, GELU, convolution, norm, GELU. */
function group(scope: Scope, x: Value, filters: number): Value {
  const narrow = pool(scope, convolution(scope.at('conv1'), x, filters), 2)
  const y = gelu(scope, norm(scope.at('norm1'), narrow), 'gelu1')
  return gelu(scope, norm(scope.at('norm2'), convolution(scope.at('conv2'), y, filters)), 'gelu2')
}

/**
 * Defaults: 32×32×3, 10 classes. Give `images`, the training images: the first layer whitens patches of 2×2 pixels by
 * their statistics.
 * @throws ShapeError for images below 26 pixels, which leave nothing for the last pooling
 */
export function speednet(options: ModelOptions = {}): Model {
  const settings = modelOptions.parse(options, '')
  return buildModel('speednet', settings, { classes: 10, input: [32, 32, 3] }, (scope, image, classes) => {
    const filters = 2 * 4 * image.type.shape[3] // two for each direction of a 2×2 patch
    const initializer = { type: 'whitening', epsilon: 5e-4 } as const
    const whitened = conv2d(scope.at('whiten'), image, {
      ...{ filters, kernel: 2, padding: 0, bias: true, weight: 'buffer', initializer },
    })
    let x = gelu(scope, whitened, 'gelu')
    for (const [i, width] of widths.entries()) x = group(scope.at(`group${i + 1}`), x, width)
    // 3×3 is all that is left of 32×32; larger images leave more, which counts as more features.
    const flat = scope.builder.emit(flatten, [pool(scope, x, 3)], {}, 'flatten')
    const logits = linear(scope.at('head'), flat, { features: classes, bias: false })
    return scope.builder.emit(multiply, [logits, scope.builder.constant(LOGIT_SCALE)], {}, 'scale')
  })
}
