/** @file What became of the parameters of a model that was made smaller: by their types, and tensor by tensor. */
import { connectionsOf, type Model, type ModelSummary } from 'fovea'
import { elements, parameterNodes } from 'fovea/engine'

/** How many compute as floats and how many as integers: together they are all. */
export interface ParametersByType {
  readonly float: number
  readonly integer: number
}

/** @param bytes of parameters, by the types in which layers read them */
export const parametersByType = ({ float32, bfloat16, float16, int8, int32 = 0 }: ModelSummary['bytes']) => ({
  float: float32 / 4 + (bfloat16 + float16) / 2,
  integer: int8 + int32 / 4,
})

/** A tensor of parameters, before and after. */
export interface ParameterAccount {
  readonly name: string
  /** That of the smaller model; none where it is no longer there, as norms that were folded into layers. */
  readonly dtype?: string
  /** How many the original has of it: none of a bias that folding made. */
  readonly parameters: number
  /** That are there, and not 0 among the weights of convolutions and matrices. */
  readonly kept: number
  /** Of those of the original. */
  readonly removed: number
}

/** In the order of the original; what it had not comes last. */
export function parameterAccounts(before: Model, after: Model): ParameterAccount[] {
  const sizes = (model: Model) =>
    new Map(parameterNodes(model.graph).map(({ name, outputs: [type] }) => [name, elements(type.shape)]))
  const types = new Map(parameterNodes(after.graph).map(({ name, outputs: [{ dtype }] }) => [name, dtype]))
  const zeros = new Map(connectionsOf(after).map(({ name, weights, kept }) => [name, weights - kept]))
  const [were, are] = [sizes(before), sizes(after)]
  return [...new Set([...were.keys(), ...are.keys()])].map(name => {
    const parameters = were.get(name) ?? 0
    const kept = (are.get(name) ?? 0) - (zeros.get(name) ?? 0)
    const dtype = types.get(name)
    return { name, ...(dtype && { dtype }), parameters, kept, removed: Math.max(0, parameters - kept) }
  })
}
