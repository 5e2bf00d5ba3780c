/**
 * @file Elementwise work in whatever layout the numbers lie: weights and their gradients, which a target keeps in layouts of
 * its own, are combined as they are. What pads a layout is zero, and stays so.
 */
import type { Node, Value } from '../../../graph/graph.js'
import { elements, sameShape } from '../../../graph/types.js'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import type { StoredLayout } from '../storage.js'

/**
 * The layout of the first input of the given shape that does not lie dense, if all other inputs are as large, or single
 * numbers. Undefined where all is dense.
 */
export function commonLayout(to: Lowering, { inputs }: Node, like: Value): StoredLayout | undefined {
  const isLike = ({ type }: Value): boolean => sameShape(type.shape, like.type.shape)
  if (!inputs.every(input => isLike(input) || elements(input.type.shape) === 1)) return undefined
  return inputs
    .filter(isLike)
    .map(input => to.storage.layoutOf(input))
    .find(({ layout }) => layout !== 'dense')
}

/** Reads the inputs of a given one's shape in a layout; single numbers are dense. */
export function readIn({ layout, groups }: StoredLayout, to: Lowering, { inputs }: Node, like: Value): Operand[] {
  return inputs.map(input =>
    sameShape(input.type.shape, like.type.shape) && input.type.shape.length > 0
      ? to.read(input, layout, groups)
      : to.read(input),
  )
}
