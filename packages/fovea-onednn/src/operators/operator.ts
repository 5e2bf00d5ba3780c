/** @file What a lowering is: it adds the native steps of one node. */
import type { ActivationName, Node, Value } from 'fovea/engine'
import type { Lowering } from '../lowering.js'

export type Lower = (to: Lowering, node: Node) => void

export const output = (node: Node, index = 0): Value => ({ node, index, type: node.outputs[index] })

/** Activation numbers of native/step.h. */
export const activationNumbers = { relu: 1, relu6: 2, silu: 3, gelu: 4, sigmoid: 5, hardSwish: 6 } as const

export const activationNumber = (name: keyof typeof activationNumbers | undefined): number =>
  name === undefined ? 0 : activationNumbers[name]

/** The activation that a node applies to its result. */
export const activationOf = (node: Node): ActivationName | undefined =>
  node.attrs['activation'] as ActivationName | undefined
