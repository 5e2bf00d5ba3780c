/** @file Activations that stand alone, by our own kernels (native/kernels/activation.h). */
import { elements } from '../../../graph/types.js'
import type { ActivationName } from '../../../ops/activation.js'
import { activationOf, type Lower } from './operator.js'

const activation: Lower = (to, node) => {
  const [x] = node.inputs
  to.kernel('activation', {
    ...{ x: to.read(x), y: to.write(), elements: elements(x.type.shape), type: to.float(x.type) },
    activation: node.op as ActivationName,
  })
}

const activationGradient: Lower = (to, node) => {
  const [dy, x] = node.inputs
  to.kernel('activationGradient', {
    ...{ dy: to.read(dy), x: to.read(x), dx: to.write(), elements: elements(x.type.shape), type: to.float(x.type) },
    activation: activationOf(node),
  })
}

export const activations = {
  relu: activation,
  relu6: activation,
  silu: activation,
  gelu: activation,
  sigmoid: activation,
  hardSwish: activation,
  activationGradient,
} as const satisfies Record<string, Lower>
