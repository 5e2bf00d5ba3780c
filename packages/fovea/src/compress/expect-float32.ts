/** @file What can be made smaller: a model whose weights are the numbers that training left. */
import { InvalidArgumentError } from '../errors.js'
import type { Model } from '../models/model.js'

/**
 * Checks that a model has not been quantized: importance and scales are not found from what is rounded already.
 * @throws InvalidArgumentError that names the first weight of another type
 */
export function expectFloat32({ name: model, graph }: Model): void {
  const other = graph.nodes.find(({ op, outputs }) => op === 'parameter' && outputs[0].dtype !== 'float32')
  if (other === undefined) return
  throw new InvalidArgumentError(
    `${model} is quantized: '${other.name}' is ${other.outputs[0].dtype}. Start from the model that it was made from`,
  )
}
