/**
 * @file The activations as operators: one operator each (`relu`, `silu`, …), and one operator that is the gradient of
 * all. Fused operators (batch-norm + activation) name an activation as an attribute.
 */
import { ShapeError } from '../errors.js'
import type { Activation } from './activations/activation.js'
import { gelu } from './activations/gelu.js'
import { hardSwish } from './activations/hard-swish.js'
import { relu } from './activations/relu.js'
import { relu6 } from './activations/relu6.js'
import { sigmoid } from './activations/sigmoid.js'
import { silu } from './activations/silu.js'
import { defineOp, type OpDefinition } from './define.js'
import { elementwise } from './elementwise.js'
import { expectFloat, expectOneType, expectShape } from './expect.js'

export const activations = { relu, relu6, silu, gelu, sigmoid, hardSwish } as const satisfies Record<string, Activation>
export type ActivationName = keyof typeof activations

/** Whether a name, of an operator or an attribute, is that of an activation. */
export const isActivation = (name: unknown): name is ActivationName =>
  typeof name === 'string' && Object.hasOwn(activations, name)

/** A fused activation, where there is one, is one of the table. */
export function checkActivation(name: string | undefined): void {
  if (name !== undefined && !isActivation(name)) {
    throw new ShapeError(`there is no activation '${name}', only ${Object.keys(activations).join(', ')}`)
  }
}

/** dx = dy · f'(x), from dy and the activation's input x. */
export const activationGradient = defineOp<{ readonly activation: ActivationName }>({
  name: 'activationGradient',
  ...elementwise,
  memory: [[0, 1]],
  infer: ([dy, x], { activation }) => {
    checkActivation(activation)
    expectShape("the output's gradient", dy, x.shape)
    expectOneType({ input: x, "the output's gradient": dy })
    return [dy]
  },
  reference: ([dy, x], [dx], attrs) => {
    const { derivative } = activations[attrs.activation]
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = dy.data[i] * derivative(x.data[i])
  },
})

const activationOp = (name: ActivationName): OpDefinition<Record<string, never>> =>
  defineOp<Record<string, never>>({
    name,
    ...elementwise,
    traits: ['activation', 'elementwise'],
    infer: ([x]) => {
      expectFloat('input', x)
      return [x]
    },
    gradient: ({ builder, node, inputs: [x], gradients: [dy] }) => [
      dy && builder.emit(activationGradient, [dy, x], { activation: name }, `${node.name}.dx`),
    ],
    reference: ([x], [y]) => {
      const { value } = activations[name]
      for (let i = 0; i < y.data.length; i++) y.data[i] = value(x.data[i])
    },
  })

export const activationOps = {
  relu: activationOp('relu'),
  relu6: activationOp('relu6'),
  silu: activationOp('silu'),
  gelu: activationOp('gelu'),
  sigmoid: activationOp('sigmoid'),
  hardSwish: activationOp('hardSwish'),
}
