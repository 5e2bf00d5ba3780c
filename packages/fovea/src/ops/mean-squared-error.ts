/** @file The mean of (prediction − target)² over all elements. */
import { noAxes } from './axes.js'
import { noImages } from './batch.js'
import { defineOp } from './define.js'
import { expectFloat, expectOneType, expectShape } from './expect.js'

/** prediction and target of one shape. A scalar. */
export const meanSquaredError = defineOp<Record<string, never>>({
  name: 'meanSquaredError',
  batch: noImages,
  memory: [],
  axes: noAxes,
  infer: ([prediction, target]) => {
    expectFloat('prediction', prediction)
    expectShape('target', target, prediction.shape)
    expectOneType({ prediction, target })
    return [{ shape: [], dtype: 'float32' }]
  },
  gradient: ({ builder, node, inputs: [prediction, target], gradients: [dloss] }) => {
    if (dloss === undefined) return []
    // (p − t)² is symmetric: the target's gradient is the prediction's with the two exchanged.
    const gradient = (by: typeof target, other: typeof target, name: string) =>
      builder.emit(meanSquaredErrorGradient, [by, other, dloss], {}, `${node.name}.${name}`)
    return [gradient(prediction, target, 'dx'), gradient(target, prediction, 'dt')]
  },
  reference: ([prediction, target], [loss]) => {
    let sum = 0
    for (let i = 0; i < prediction.data.length; i++) sum += (prediction.data[i] - target.data[i]) ** 2
    loss.data[0] = sum / prediction.data.length
  },
})

/** By the prediction: dloss · 2·(prediction − target)/count. */
export const meanSquaredErrorGradient = defineOp<Record<string, never>>({
  name: 'meanSquaredErrorGradient',
  batch: noImages,
  memory: [[0, 1]],
  axes: noAxes,
  infer: ([prediction, target, dloss]) => {
    expectShape('target', target, prediction.shape)
    expectOneType({ prediction, target })
    expectShape("the loss's gradient", dloss, [])
    return [prediction]
  },
  reference: ([prediction, target, dloss], [dprediction]) => {
    const scale = (2 * dloss.data[0]) / prediction.data.length
    for (let i = 0; i < dprediction.data.length; i++) {
      dprediction.data[i] = scale * (prediction.data[i] - target.data[i])
    }
  },
})
