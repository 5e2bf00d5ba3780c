/**
 * @file What the optimizers' operators share. Each multiplies the gradient by a scalar, `scale`: so the loss scale is taken
 * out and long gradients are cut without another pass over them. Where it is 0 the step does not count, and every state
 * stays as it is, whatever the gradient holds.
 */
import type { TensorType } from '../graph/types.js'
import type { Tensor } from './define.js'
import { expectOneType, expectShape } from './expect.js'

/** The outputs of a step that does not count. */
export function keepStates(states: readonly (Tensor | undefined)[], next: readonly Tensor[]): void {
  for (const [i, { data }] of next.entries()) data.set(states[i]!.data)
}

/** The gradient and the slots have the parameter's shape and type; the scale, the learning rate and the step are scalars. */
export function checkOptimizer(
  parameter: TensorType,
  alike: Readonly<Record<string, TensorType>>,
  scalars: Readonly<Record<string, TensorType>>,
): void {
  for (const [name, type] of Object.entries(alike)) expectShape(name, type, parameter.shape)
  for (const [name, type] of Object.entries(scalars)) expectShape(name, type, [])
  expectOneType({ parameter, ...alike })
}
