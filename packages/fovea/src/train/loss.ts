/** @file The losses by name: what a training step makes smaller, as nodes of its graph. */
import type { Value } from '../graph/graph.js'
import type { GraphBuilder } from '../ops/builder.js'
import { crossEntropy } from '../ops/cross-entropy.js'
import { meanSquaredError } from '../ops/mean-squared-error.js'
import { softmax } from '../ops/softmax.js'
import { choice, number } from '../settings/kinds.js'

/** Mean squared error is between the softmax and one-hot labels. */
const losses = ['cross-entropy', 'mean-squared-error'] as const
/** One of `losses`. */
export type Loss = (typeof losses)[number]

/** How labels are fed: int32 [batch] class indices, or float32 [batch, classes] rows. */
export type LabelForm = (typeof labelForms)[number]
const labelForms = ['index', 'one-hot'] as const

/** The rows of what a loss is made of. */
export const lossSettings = {
  loss: choice('what training makes smaller', losses).default('cross-entropy'),
  labels: choice('how labels are fed', labelForms).default('index'),
  labelSmoothing: number('how much of each label is shared among all classes', { from: 0, below: 1 }).default(0),
}

export interface LossOptions {
  readonly loss: Loss
  readonly labels: LabelForm
  readonly labelSmoothing: number
}

/** The loss of logits [batch, classes], a scalar; adds the input `label`. */
export function lossOf(builder: GraphBuilder, logits: Value, { loss, labels, labelSmoothing }: LossOptions): Value {
  const [batch] = logits.type.shape
  const oneHot = labels === 'one-hot' || loss === 'mean-squared-error'
  const label = oneHot ? builder.input('label', logits.type.shape, 'float32') : builder.input('label', [batch], 'int32')
  switch (loss) {
    case 'cross-entropy':
      return builder.emit(crossEntropy, [logits, label], { labelSmoothing }, 'loss')
    case 'mean-squared-error':
      return builder.emit(meanSquaredError, [builder.emit(softmax, [logits], {}), label], {}, 'loss')
  }
}
