/** @file Cases of what updates state: optimizers and running averages. */
import { constant, float, noNumber, normal, type OperatorSpec, positive, type Sample } from './case.js'

const rate = constant(Math.fround(0.1))
/** What the gradient is multiplied by: 0 for a step that does not count. */
const scale = (value = 1) => constant(value)
const sgdAttributes = { momentum: 0.9, nesterov: false, weightDecay: 0 }

export const sgd: OperatorSpec = {
  op: 'sgd',
  differentiable: [],
  samples: [
    { name: 'plain', inputs: [normal(3, 5), normal(3, 5), scale(), rate], attrs: { ...sgdAttributes, momentum: 0 } },
    {
      name: 'plain with decay',
      inputs: [normal(64), normal(64), scale(0.25), rate],
      attrs: { ...sgdAttributes, momentum: 0, weightDecay: 0.01 },
    },
    {
      name: 'momentum',
      inputs: [normal(8, 3, 3, 3), normal(8, 3, 3, 3), scale(), rate, normal(8, 3, 3, 3)],
      attrs: sgdAttributes,
    },
    {
      name: 'a step that does not count',
      inputs: [normal(8, 3), noNumber(8, 3), scale(0), rate, normal(8, 3)],
      attrs: sgdAttributes,
    },
    {
      name: 'Nesterov with decay',
      inputs: [normal(7, 3), normal(7, 3), scale(0.5), rate, normal(7, 3)],
      attrs: { momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
    },
  ],
  invalid: [
    {
      name: 'gradient of another shape',
      inputs: [float(3, 5), float(5, 3), float(), float()],
      attrs: { ...sgdAttributes, momentum: 0 },
      message: 'gradient is 5×3, expected 3×5',
    },
    {
      name: 'no velocity',
      inputs: [float(3), float(3), float(), float()],
      attrs: sgdAttributes,
      message: 'momentum 0.9 needs a velocity',
    },
    {
      name: 'Nesterov without momentum',
      inputs: [float(3), float(3), float(), float()],
      attrs: { momentum: 0, nesterov: true, weightDecay: 0 },
      message: 'nesterov needs a momentum above 0',
    },
    {
      name: 'a rate per element',
      inputs: [float(3), float(3), float(), float(3), float(3)],
      attrs: sgdAttributes,
      message: 'learningRate is 3, expected scalar',
    },
  ],
}

const adamAttributes = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false }

const adamSample = (name: string, step: number, attrs: object, factor: number, ...shape: number[]): Sample => ({
  name,
  inputs: [
    normal(...shape),
    factor === 0 ? noNumber(...shape) : normal(...shape),
    scale(factor),
    rate,
    constant(step),
    normal(...shape),
    positive(...shape),
  ],
  attrs: { ...adamAttributes, ...attrs },
})

export const adam: OperatorSpec = {
  op: 'adam',
  differentiable: [],
  samples: [
    adamSample('the first step', 1, {}, 1, 3, 5),
    adamSample('step 1000', 1000, {}, 0.25, 64),
    adamSample('decay in the gradient', 7, { weightDecay: 0.01 }, 0.5, 4, 3, 3, 3),
    adamSample('AdamW', 7, { weightDecay: 0.01, decoupled: true }, 1, 17),
    adamSample('a step that does not count', 7, { weightDecay: 0.01 }, 0, 3, 5),
  ],
  invalid: [
    {
      name: 'm of another shape',
      inputs: [float(3), float(3), float(), float(), float(), float(4), float(3)],
      attrs: adamAttributes,
      message: 'm is 4, expected 3',
    },
    {
      name: 'a step per element',
      inputs: [float(3), float(3), float(), float(), float(3), float(3), float(3)],
      attrs: adamAttributes,
      message: 'step is 3, expected scalar',
    },
  ],
}

const rmsPropAttributes = { decay: 0.9, momentum: 0.9, epsilon: 1e-3, weightDecay: 0 }

export const rmsProp: OperatorSpec = {
  op: 'rmsProp',
  differentiable: [],
  samples: [
    ...[0, 1e-5].map(weightDecay => ({
      name: `decay ${weightDecay}`,
      inputs: [normal(9, 5), normal(9, 5), scale(0.5), rate, positive(9, 5), normal(9, 5)],
      attrs: { ...rmsPropAttributes, weightDecay },
    })),
    {
      name: 'a step that does not count',
      inputs: [normal(9, 5), noNumber(9, 5), scale(0), rate, positive(9, 5), normal(9, 5)],
      attrs: rmsPropAttributes,
    },
  ],
  invalid: [
    {
      name: 'velocity of another shape',
      inputs: [float(3), float(3), float(), float(), float(3), float(1)],
      attrs: rmsPropAttributes,
      message: 'velocity is 1, expected 3',
    },
  ],
}

export const runningAverage: OperatorSpec = {
  op: 'runningAverage',
  differentiable: [],
  samples: [
    { name: 'a mean', inputs: [normal(16), normal(16)], attrs: { momentum: 0.1, scale: 1 } },
    { name: 'an unbiased variance', inputs: [positive(5), positive(5)], attrs: { momentum: 0.01, scale: 32 / 31 } },
  ],
  invalid: [
    {
      name: 'other channels',
      inputs: [float(8), float(16)],
      attrs: { momentum: 0.1, scale: 1 },
      message: 'value is 16, expected 8',
    },
  ],
}

export const accumulate: OperatorSpec = {
  op: 'accumulate',
  differentiable: [],
  samples: [
    { name: 'the first', inputs: [noNumber(9, 5), normal(9, 5), constant(1)] },
    { name: 'another', inputs: [normal(9, 5), normal(9, 5), constant(0)] },
  ],
  invalid: [
    { name: 'a value of another shape', inputs: [float(3), float(4), float()], message: 'the value is 4, expected 3' },
    {
      name: 'a value of another type',
      inputs: [float(3), constant(1, 'int32', 3), float()],
      message: 'the sum is float32, the value is int32: cast one of them',
    },
    {
      name: 'a choice for each element',
      inputs: [float(3), float(3), float(3)],
      message: 'first is 3, expected scalar',
    },
  ],
}

export const lerp: OperatorSpec = {
  op: 'lerp',
  differentiable: [],
  samples: [
    ...[0, 0.25, 1].map(weight => ({
      name: `weight ${weight}`,
      inputs: [normal(7, 5), normal(7, 5), constant(weight)],
    })),
    { name: 'weight 0, an end that is no number', inputs: [normal(7, 5), noNumber(7, 5), constant(0)] },
    { name: 'weight 1, a beginning that is no number', inputs: [noNumber(7, 5), normal(7, 5), constant(1)] },
  ],
  invalid: [
    {
      name: 'an end of another shape',
      inputs: [float(8), float(16), float()],
      message: 'the end is 16, expected 8',
    },
    {
      name: 'a weight for each element',
      inputs: [float(8), float(8), float(8)],
      message: 'the weight is 8, expected scalar',
    },
  ],
}

export const where: OperatorSpec = {
  op: 'where',
  differentiable: [],
  samples: [0, 1, -0.5].map(condition => ({
    name: `condition ${condition}`,
    inputs: [constant(condition), normal(9, 5), normal(9, 5)],
  })),
  invalid: [
    {
      name: 'a condition for each element',
      inputs: [float(3), float(3), float(3)],
      message: 'the condition is 3, expected scalar',
    },
    {
      name: 'values of two shapes',
      inputs: [float(), float(3), float(4)],
      message: 'the second value is 4, expected 3',
    },
  ],
}

const scaleSample = (
  name: string,
  squares: number,
  lossScale: number,
  parts: number,
  maxNorm: number | null,
  counts = 1,
): Sample => ({
  name,
  inputs: [constant(squares), constant(lossScale), constant(counts)],
  attrs: { parts, maxNorm },
})

export const gradientScale: OperatorSpec = {
  op: 'gradientScale',
  differentiable: [],
  samples: [
    scaleSample('nothing to do', 9, 1, 1, null),
    scaleSample('short enough', 9, 1, 1, 3),
    scaleSample('too long', 9, 1, 1, 1.5),
    scaleSample('a scaled loss in four parts', 64 * 65_536, 65_536, 4, 1e-3),
    scaleSample('no gradient', 0, 65_536, 2, 1),
    scaleSample('no step yet', 9, 1, 2, 1, 0),
  ],
  invalid: [
    {
      name: 'no parts',
      inputs: [float(), float(), float()],
      attrs: { parts: 0, maxNorm: null },
      message: 'parts must be at least 1, got 0',
    },
    {
      name: 'a sum for each parameter',
      inputs: [float(2), float(), float()],
      attrs: { parts: 1, maxNorm: null },
      message: 'the sum of squares is 2, expected scalar',
    },
  ],
}
