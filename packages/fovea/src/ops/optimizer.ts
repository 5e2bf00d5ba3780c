/** @file What the optimizers' operators check. */
import type { TensorType } from '../graph/types.js'
import { expectOneType, expectShape } from './expect.js'

/** The gradient and the slots have the parameter's shape and type; the learning rate and the step are scalars. */
export function checkOptimizer(
  parameter: TensorType,
  alike: Readonly<Record<string, TensorType>>,
  scalars: Readonly<Record<string, TensorType>>,
): void {
  for (const [name, type] of Object.entries(alike)) expectShape(name, type, parameter.shape)
  for (const [name, type] of Object.entries(scalars)) expectShape(name, type, [])
  expectOneType({ parameter, ...alike })
}
