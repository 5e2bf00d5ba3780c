/** @file What can be made smaller: a model whose weights are the numbers that training left. */
import { InvalidArgumentError } from '../errors.js'
import { type Node, parameterNodes } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'

const quantizedParameter = ({ graph }: Model): Node | undefined =>
  parameterNodes(graph).find(({ outputs: [{ dtype }] }) => dtype !== 'float32')

/**
 * Whether some of a model's weights are no longer float32. Such a model is trained and pruned no more.
 * @throws SettingError for what is no model
 */
export const isQuantized = (model: Model): boolean => quantizedParameter(modelOf(model)) !== undefined

/**
 * Checks that a model has not been quantized: importance and scales are not found from what is rounded already.
 * @throws InvalidArgumentError that names the first weight of another type
 */
export function expectFloat32(model: Model): void {
  const other = quantizedParameter(model)
  if (other === undefined) return
  throw new InvalidArgumentError(
    `${model.name} is quantized: '${other.name}' is ${other.outputs[0].dtype}. Start from the model that it was made from`,
  )
}
