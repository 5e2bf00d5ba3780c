/**
 * @file Softmax cross-entropy, the mean over the batch. With q the label as probabilities, s the smoothing and C classes,
 * the target is q' = (1 − s)·q + s/C (Szegedy et al. 2016, arXiv 1512.00567, section 7; PyTorch's `label_smoothing`),
 * and the loss is −Σ q'·log softmax(logits). Of an image that counts m times, q sums to m, and so does q': s/C is s·m/C.
 */
import { InvalidArgumentError, ShapeError } from '../errors.js'
import { formatShape, isFloat, type TensorType } from '../graph/types.js'
import { noAxes } from './axes.js'
import { noImages } from './batch.js'
import { defineOp, type Tensor } from './define.js'
import { expectFloat, expectRange, expectRank, expectShape } from './expect.js'

export type CrossEntropyAttributes = { readonly labelSmoothing: number }

function check(logits: TensorType, label: TensorType, { labelSmoothing }: CrossEntropyAttributes): void {
  expectRank('logits', logits, ['batch', 'classes'])
  expectFloat('logits', logits)
  expectRange('labelSmoothing', labelSmoothing, 0, 1)
  const [batch, classes] = logits.shape
  const expected = isFloat(label.dtype) ? [batch, classes] : [batch]
  if (label.dtype !== 'int32' && !isFloat(label.dtype)) {
    throw new ShapeError(`label must be int32 (class indices) or a float type (probabilities), got ${label.dtype}`)
  }
  if (formatShape(label.shape) !== formatShape(expected)) {
    const kind = isFloat(label.dtype) ? 'probabilities' : 'class indices'
    throw new ShapeError(
      `label (${kind}) is ${formatShape(label.shape)}, expected ${formatShape(expected)} for logits ${formatShape(logits.shape)}`,
    )
  }
}

/** The smoothed target q' of image n. */
function targetOf(label: Tensor, n: number, classes: number, smoothing: number): Float64Array {
  if (label.dtype !== 'int32') {
    const row = Float64Array.from(label.data.subarray(n * classes, (n + 1) * classes))
    const mass = row.reduce((sum, q) => sum + q, 0)
    return row.map(q => (1 - smoothing) * q + (smoothing * mass) / classes)
  }
  const target = new Float64Array(classes).fill(smoothing / classes)
  const index = label.data[n]
  if (index < 0 || index >= classes) {
    throw new InvalidArgumentError(
      `label ${index} of image ${n} in the batch is not one of the classes 0 to ${classes - 1}`,
    )
  }
  target[index] += 1 - smoothing
  return target
}

/** log softmax of the logits of image n. */
function logProbabilities(logits: Tensor, n: number): Float64Array {
  const classes = logits.shape[1]
  const row = Float64Array.from(logits.data.subarray(n * classes, (n + 1) * classes))
  const highest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const logSum = highest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - highest), 0))
  return row.map(value => value - logSum)
}

/** logits [batch, classes]; label int32 [batch] or float [batch, classes] (one-hot or soft). A scalar. */
export const crossEntropy = defineOp<CrossEntropyAttributes>({
  name: 'crossEntropy',
  batch: noImages,
  memory: [],
  axes: noAxes,
  infer: ([logits, label], attrs) => {
    check(logits, label, attrs)
    return [{ shape: [], dtype: 'float32' }]
  },
  gradient: ({ builder, node, attrs, inputs: [logits, label], gradients: [dloss] }) => [
    dloss && builder.emit(crossEntropyGradient, [logits, label, dloss], attrs, `${node.name}.dx`),
  ],
  reference: ([logits, label], [loss], { labelSmoothing }) => {
    const [batch, classes] = logits.shape
    let sum = 0
    for (let n = 0; n < batch; n++) {
      const log = logProbabilities(logits, n)
      targetOf(label, n, classes, labelSmoothing).forEach((q, c) => {
        if (q !== 0) sum -= q * log[c]
      })
    }
    loss.data[0] = sum / batch
  },
})

/** By the logits: dloss/batch · (Σq' · softmax − q'). */
export const crossEntropyGradient = defineOp<CrossEntropyAttributes>({
  name: 'crossEntropyGradient',
  batch: noImages,
  memory: [],
  axes: noAxes,
  infer: ([logits, label, dloss], attrs) => {
    check(logits, label, attrs)
    expectShape("the loss's gradient", dloss, [])
    return [logits]
  },
  reference: ([logits, label, dloss], [dlogits], { labelSmoothing }) => {
    const [batch, classes] = logits.shape
    const scale = dloss.data[0] / batch
    for (let n = 0; n < batch; n++) {
      const log = logProbabilities(logits, n)
      const target = targetOf(label, n, classes, labelSmoothing)
      const total = target.reduce((a, b) => a + b, 0)
      for (let c = 0; c < classes; c++) {
        dlogits.data[n * classes + c] = scale * (total * Math.exp(log[c]) - target[c])
      }
    }
  },
})
