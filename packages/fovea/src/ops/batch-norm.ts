/**
 * @file Batch normalization over all axes but the last. Ioffe and Szegedy 2015 (arXiv 1502.03167).
 * `batchNorm` is what a model's graph holds: it uses the running statistics. For training, `passes/training-mode.ts`
 * turns it into `batchNormTraining`, which uses the batch's. Both may carry, fused in, the residual that is added after
 * it and the activation that follows: y = activation(normalized · weight + bias + residual).
 */
import { ShapeError } from '../errors.js'
import { elements, formatShape, sameShape, type TensorType } from '../graph/types.js'
import { type ActivationName, activations, checkActivation } from './activation.js'
import { broadcastAxes, noAxes } from './axes.js'
import { perImage } from './batch.js'
import { defineOp, type Tensor } from './define.js'
import { expectFloat, expectOneType, expectRange, expectShape, expectType } from './expect.js'

/** `momentum` is the weight of the new value in the running statistics (PyTorch's meaning). */
export type BatchNormAttributes = {
  readonly epsilon: number
  readonly momentum: number
  readonly activation?: ActivationName
}

export type BatchNormTrainingAttributes = { readonly epsilon: number; readonly activation?: ActivationName }

function checkChannels(x: TensorType, perChannel: readonly (TensorType | undefined)[], names: readonly string[]): void {
  const channels = x.shape[x.shape.length - 1]
  perChannel.forEach((type, i) => {
    if (type !== undefined && !sameShape(type.shape, [channels])) {
      throw new ShapeError(`input has ${channels} channels, ${names[i]} has ${formatShape(type.shape)}`)
    }
    expectType(names[i], type, 'float32')
  })
}

function checkResidual(x: TensorType, residual: TensorType | undefined): void {
  expectFloat('input', x)
  expectOneType({ input: x, residual })
  if (residual !== undefined && !sameShape(residual.shape, x.shape)) {
    throw new ShapeError(`residual is ${formatShape(residual.shape)}, the input ${formatShape(x.shape)}`)
  }
}

/** Inputs x, weight, bias, running mean, running variance, and optionally the residual. */
export const batchNorm = defineOp<BatchNormAttributes>({
  name: 'batchNorm',
  batch: perImage([0, 5]),
  memory: [[0, 5]],
  axes: broadcastAxes,
  float32Inputs: [1, 2, 3, 4],
  infer: ([x, weight, bias, mean, variance, residual], { activation, epsilon, momentum }) => {
    checkChannels(x, [weight, bias, mean, variance], ['weight', 'bias', 'mean', 'variance'])
    checkResidual(x, residual)
    checkActivation(activation)
    expectRange('epsilon', epsilon, 0)
    expectRange('momentum', momentum, 0, 1)
    return [x]
  },
  // The statistics are no function of the batch here.
  gradient: ({ builder, node, attrs: { epsilon, activation }, inputs, outputs: [y], gradients: [dy] }) => {
    if (dy === undefined) return []
    const [x, weight, bias, mean, variance, ...residual] = inputs
    const attrs = { epsilon, ...(activation && { activation }), statistics: 'given' } as const
    const all = [dy, x, y, weight, bias, mean, variance, ...residual]
    const [dx, dweight, dbias, ...dresidual] = builder.emitAll(batchNormGradient, all, attrs, `${node.name}.dx`)
    return [dx, dweight, dbias, undefined, undefined, ...dresidual]
  },
  reference: ([x, weight, bias, mean, variance, residual], [y], attrs) => {
    normalize(x, weight, bias, mean, variance, residual, y, attrs)
  },
})

function normalize(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  mean: Tensor,
  variance: Tensor,
  residual: Tensor | undefined,
  y: Tensor,
  { epsilon, activation }: BatchNormTrainingAttributes,
): void {
  const channels = weight.data.length
  const value = activation === undefined ? undefined : activations[activation].value
  for (let i = 0; i < y.data.length; i++) {
    const c = i % channels
    const scale = weight.data[c] / Math.sqrt(variance.data[c] + epsilon)
    const sum = (x.data[i] - mean.data[c]) * scale + bias.data[c] + (residual?.data[i] ?? 0)
    y.data[i] = value === undefined ? sum : value(sum)
  }
}

/**
 * Inputs x, weight, bias, and optionally the residual; outputs y, the batch's mean and its (biased) variance.
 * The statistics have no gradient of their own: they only feed the running statistics.
 */
export const batchNormTraining = defineOp<BatchNormTrainingAttributes>({
  name: 'batchNormTraining',
  batch: perImage([0, 3]),
  memory: [],
  axes: noAxes,
  float32Inputs: [1, 2],
  infer: ([x, weight, bias, residual], { activation, epsilon }) => {
    checkChannels(x, [weight, bias], ['weight', 'bias'])
    checkResidual(x, residual)
    checkActivation(activation)
    expectRange('epsilon', epsilon, 0)
    if (elements(x.shape) === weight.shape[0]) {
      throw new ShapeError(`training needs more than one value per channel, the input is ${formatShape(x.shape)}`)
    }
    const statistics: TensorType = { shape: weight.shape, dtype: 'float32' }
    return [x, statistics, statistics]
  },
  gradient: ({ builder, node, attrs, inputs: [x, weight, bias, residual], outputs, gradients: [dy] }) => {
    if (dy === undefined) return []
    const [y, mean, variance] = outputs
    const gradient = builder.emitAll(
      batchNormGradient,
      residual === undefined
        ? [dy, x, y, weight, bias, mean, variance]
        : [dy, x, y, weight, bias, mean, variance, residual],
      attrs,
      `${node.name}.dx`,
    )
    return gradient
  },
  reference: ([x, weight, bias, residual], [y, mean, variance], attrs) => {
    const channels = weight.data.length
    const count = x.data.length / channels
    const sums = new Float64Array(channels)
    for (let i = 0; i < x.data.length; i++) sums[i % channels] += x.data[i]
    const means = sums.map(sum => sum / count)
    const squares = new Float64Array(channels)
    for (let i = 0; i < x.data.length; i++) squares[i % channels] += (x.data[i] - means[i % channels]) ** 2
    mean.data.set(means)
    variance.data.set(squares.map(sum => sum / count))
    normalize(x, weight, bias, mean, variance, residual, y, attrs)
  },
})

/** `given`: mean and variance do not come from x. Default: they are those of x. */
export type BatchNormGradientAttributes = BatchNormTrainingAttributes & { readonly statistics?: 'given' }

/**
 * Inputs dy, x, y, weight, bias, mean, variance, and the residual if there was one; outputs dx, dweight, dbias, and the
 * residual's gradient. With x̂ the normalized input, dz = dy · activation'(z) and m values per channel (section 3 there):
 * dbias = Σ dz, dweight = Σ dz·x̂, dx = weight/√(variance+ε) · (dz − dbias/m − x̂·dweight/m); with given statistics only
 * the first term of dx.
 */
export const batchNormGradient = defineOp<BatchNormGradientAttributes>({
  name: 'batchNormGradient',
  batch: perImage([0, 1, 2, 7], [0, 3]),
  memory: [[0], [], [], [0]],
  axes: noAxes,
  infer: ([dy, x, , weight, bias, mean, variance, residual], { activation }) => {
    expectShape("the output's gradient", dy, x.shape)
    expectOneType({ input: x, "the output's gradient": dy })
    checkChannels(x, [weight, bias, mean, variance], ['weight', 'bias', 'mean', 'variance'])
    checkResidual(x, residual)
    checkActivation(activation)
    const perChannel: TensorType = { shape: weight.shape, dtype: 'float32' }
    const outputs: TensorType[] = [x, perChannel, perChannel]
    return residual === undefined ? outputs : [...outputs, residual]
  },
  reference: ([dy, x, , weight, bias, mean, variance, residual], [dx, dweight, dbias, dresidual], attrs) => {
    const channels = weight.data.length
    const count = attrs.statistics === 'given' ? Number.POSITIVE_INFINITY : x.data.length / channels
    const derivative = attrs.activation === undefined ? undefined : activations[attrs.activation].derivative
    const inverse = Float64Array.from(variance.data, v => 1 / Math.sqrt(v + attrs.epsilon))
    const dz = new Float64Array(x.data.length)
    const sums = new Float64Array(channels)
    const products = new Float64Array(channels)
    const normalized = (i: number, c: number) => (x.data[i] - mean.data[c]) * inverse[c]
    for (let i = 0; i < dz.length; i++) {
      const c = i % channels
      const z = normalized(i, c) * weight.data[c] + bias.data[c] + (residual?.data[i] ?? 0)
      dz[i] = derivative === undefined ? dy.data[i] : dy.data[i] * derivative(z)
      sums[c] += dz[i]
      products[c] += dz[i] * normalized(i, c)
    }
    dbias.data.set(sums)
    dweight.data.set(products)
    dresidual?.data.set(dz)
    for (let i = 0; i < dz.length; i++) {
      const c = i % channels
      dx.data[i] = weight.data[c] * inverse[c] * (dz[i] - sums[c] / count - (normalized(i, c) * products[c]) / count)
    }
  },
})
