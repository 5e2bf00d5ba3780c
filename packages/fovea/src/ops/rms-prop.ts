/**
 * @file One step of RMSProp in TensorFlow's form (`tf.train.RMSPropOptimizer`), with which EfficientNet was trained
 * (Tan and Le 2019, arXiv 1905.11946, section 5.2): epsilon stands inside the root, the learning rate inside the
 * velocity, and the mean square starts at ones.
 */
import { defineOp } from './define.js'
import { elementwiseUpdate } from './elementwise.js'
import { checkOptimizer, keepStates } from './optimizer.js'

export type RmsPropAttributes = {
  readonly decay: number
  readonly momentum: number
  readonly epsilon: number
  readonly weightDecay: number
}

/** parameter, gradient, scale, learningRate, meanSquare, velocity; outputs the new parameter, meanSquare and velocity. */
export const rmsProp = defineOp<RmsPropAttributes>({
  name: 'rmsProp',
  ...elementwiseUpdate,
  memory: [[0], [4], [5]],
  infer: ([parameter, gradient, scale, learningRate, meanSquare, velocity]) => {
    checkOptimizer(parameter, { gradient, meanSquare, velocity }, { scale, learningRate })
    return [parameter, meanSquare, velocity]
  },
  reference: ([parameter, gradient, scale, learningRate, meanSquare, velocity], outputs, attrs) => {
    const factor = scale.data[0]
    if (factor === 0) return keepStates([parameter, meanSquare, velocity], outputs)
    const [next, nextSquare, nextVelocity] = outputs
    const { decay, momentum, epsilon, weightDecay } = attrs
    const rate = learningRate.data[0]
    for (let i = 0; i < next.data.length; i++) {
      const g = factor * gradient.data[i] + weightDecay * parameter.data[i]
      const square = decay * meanSquare.data[i] + (1 - decay) * g * g
      const v = momentum * velocity.data[i] + (rate * g) / Math.sqrt(square + epsilon)
      nextSquare.data[i] = square
      nextVelocity.data[i] = v
      next.data[i] = parameter.data[i] - v
    }
  },
})
