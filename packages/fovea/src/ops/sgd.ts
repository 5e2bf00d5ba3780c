/**
 * @file One step of stochastic gradient descent, in PyTorch's form (`torch.optim.SGD`): the learning rate stands outside
 * the velocity. g = scale·gradient + weightDecay·parameter; v = momentum·v + g; parameter −= learningRate · d, where d is v, or
 * g + momentum·v with Nesterov, or g without momentum.
 */
import { ShapeError } from '../errors.js'
import { defineOp } from './define.js'
import { elementwiseUpdate } from './elementwise.js'
import { checkOptimizer, keepStates } from './optimizer.js'

export type SgdAttributes = { readonly momentum: number; readonly nesterov: boolean; readonly weightDecay: number }

/** parameter, gradient, scale, learningRate, and the velocity if there is momentum; outputs the new parameter and velocity. */
export const sgd = defineOp<SgdAttributes>({
  name: 'sgd',
  ...elementwiseUpdate,
  memory: [[0], [4]],
  infer: ([parameter, gradient, scale, learningRate, velocity], { momentum, nesterov }) => {
    if (momentum !== 0 && velocity === undefined) throw new ShapeError(`momentum ${momentum} needs a velocity`)
    if (momentum === 0 && nesterov) throw new ShapeError('nesterov needs a momentum above 0')
    const slots = velocity === undefined ? {} : { velocity }
    checkOptimizer(parameter, { gradient, ...slots }, { scale, learningRate })
    return velocity === undefined ? [parameter] : [parameter, velocity]
  },
  reference: ([parameter, gradient, scale, learningRate, velocity], outputs, attrs) => {
    const factor = scale.data[0]
    if (factor === 0) return keepStates([parameter, velocity], outputs)
    const [next, nextVelocity] = outputs
    const { momentum, nesterov, weightDecay } = attrs
    const rate = learningRate.data[0]
    for (let i = 0; i < next.data.length; i++) {
      const g = factor * gradient.data[i] + weightDecay * parameter.data[i]
      const v = momentum * (velocity?.data[i] ?? 0) + g
      if (nextVelocity !== undefined) nextVelocity.data[i] = v
      next.data[i] = parameter.data[i] - rate * (nesterov ? g + momentum * v : v)
    }
  },
})
