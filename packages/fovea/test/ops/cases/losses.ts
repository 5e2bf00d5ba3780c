/** @file Cases of the losses. */
import { classIndices, float, normal, type OperatorSpec, oneHot, probabilities, smooth, type as typed } from './case.js'

export const crossEntropy: OperatorSpec = {
  op: 'crossEntropy',
  differentiable: [0],
  samples: [0, 0.1].flatMap(labelSmoothing => [
    {
      name: `indices, smoothing ${labelSmoothing}`,
      inputs: [normal(8, 10), classIndices(10, 8)],
      attrs: { labelSmoothing },
    },
    { name: `one-hot, smoothing ${labelSmoothing}`, inputs: [smooth(5, 7), oneHot(5, 7)], attrs: { labelSmoothing } },
    {
      name: `soft labels, smoothing ${labelSmoothing}`,
      inputs: [normal(3, 33), probabilities(3, 33)],
      attrs: { labelSmoothing },
    },
    {
      name: `images that count less or more than once, smoothing ${labelSmoothing}`,
      inputs: [normal(3, 6), smooth(3, 6)],
      attrs: { labelSmoothing },
    },
    {
      name: `batch 1, smoothing ${labelSmoothing}`,
      inputs: [normal(1, 2), classIndices(2, 1)],
      attrs: { labelSmoothing },
    },
  ]),
  invalid: [
    {
      name: 'another batch',
      inputs: [float(8, 10), typed('int32', 4)],
      attrs: { labelSmoothing: 0 },
      message: 'label (class indices) is 4, expected 8 for logits 8×10',
    },
    {
      name: 'other classes',
      inputs: [float(8, 10), float(8, 100)],
      attrs: { labelSmoothing: 0 },
      message: 'label (probabilities) is 8×100, expected 8×10 for logits 8×10',
    },
    {
      name: 'labels as bytes',
      inputs: [float(8, 10), typed('uint8', 8)],
      attrs: { labelSmoothing: 0 },
      message: 'label must be int32 (class indices) or a float type (probabilities), got uint8',
    },
    {
      name: 'images as logits',
      inputs: [float(8, 1, 1, 10), typed('int32', 8)],
      attrs: { labelSmoothing: 0 },
      message: 'logits must be batch×classes, got 8×1×1×10',
    },
    {
      name: 'smoothing as a percentage',
      inputs: [float(8, 10), typed('int32', 8)],
      attrs: { labelSmoothing: 10 },
      message: 'labelSmoothing must be from 0 to 1, got 10',
    },
  ],
}

export const meanSquaredError: OperatorSpec = {
  op: 'meanSquaredError',
  differentiable: [0, 1],
  samples: [
    { name: 'features', inputs: [normal(4, 9), normal(4, 9)] },
    { name: 'one value', inputs: [normal(1), normal(1)] },
  ],
  invalid: [
    { name: 'other shape', inputs: [float(4, 9), float(4, 1)], message: 'target is 4×1, expected 4×9' },
    {
      name: 'whole numbers',
      inputs: [typed('int32', 4), typed('int32', 4)],
      message: 'prediction must be of a float type, got int32',
    },
  ],
}
