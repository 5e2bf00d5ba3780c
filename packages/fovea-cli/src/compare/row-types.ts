/** @file In which types a row of a comparison computes: by a policy of precision, and in integers where the model has them. */
import { type Arithmetic, computeType, type Engine, type Model, type Precision } from 'fovea'

/** A policy; or integers, in which case what is left of floats computes by a policy that is named unless it is float32. */
export type RowPrecision = Precision | 'int8' | `int8, ${Precision}`

/** Whether activations become integers in it, not weights alone. */
export const computesInIntegers = ({ graph }: Model): boolean => graph.nodes.some(({ op }) => op === 'quantize')

export function rowPrecision(model: Model, policy: Precision): RowPrecision {
  if (!computesInIntegers(model)) return policy
  return policy === 'float32' ? 'int8' : `int8, ${policy}`
}

/** The type in which most of a row computes. */
export const rowType = (precision: RowPrecision) =>
  precision === 'float32' || precision === 'mixed_bfloat16' || precision === 'mixed_float16'
    ? computeType(precision)
    : 'int8'

/** How an engine computes in that type. */
export const rowArithmetic = (model: Model, policy: Precision, engine: Engine): Arithmetic =>
  engine.arithmetic(rowType(rowPrecision(model, policy)), weightBitsOf(model))

/** Of integer weights: 7 where none is beyond 64 or −64, as for processors that add products up in 16 bits; else 8. */
function weightBitsOf({ graph }: Model): number {
  const largest = graph.nodes.flatMap(({ op, attrs }) => {
    const most = op === 'dequantize' ? attrs['largest'] : undefined
    return typeof most === 'number' ? [most] : []
  })
  return largest.length > 0 && Math.max(...largest) <= 64 ? 7 : 8
}
