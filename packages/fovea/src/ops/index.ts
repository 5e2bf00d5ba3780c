/** @file The table of all operators. Leaves (`input`, `parameter`, `buffer`, `constant`) are no operators: see ops/builder.ts. */
import { EngineError } from '../errors.js'
import { activationGradient, activationOps } from './activation.js'
import { batchNorm, batchNormGradient, batchNormTraining } from './batch-norm.js'
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from './conv2d.js'
import type { OpDefinition } from './define.js'

export const ops = {
  ...activationOps,
  activationGradient,
  batchNorm,
  batchNormGradient,
  batchNormTraining,
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
} as const

export type OpName = keyof typeof ops

export const isOpName = (name: string): name is OpName => Object.hasOwn(ops, name)

/** The definition of an operator by the name that a node carries. Its attributes are checked by `infer`. */
export function opDefinition(name: string): OpDefinition {
  if (!isOpName(name)) throw new EngineError(`there is no operator named '${name}'`)
  return ops[name] as unknown as OpDefinition
}
