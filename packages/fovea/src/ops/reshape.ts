/** @file The same elements in another shape. One size may be -1: whatever is left (usually the batch). */
import { ShapeError } from '../errors.js'
import { elements, formatShape, type Shape } from '../graph/types.js'
import { reshapedAxes } from './axes.js'
import { defineOp, type OpDefinition } from './define.js'

export type ReshapeAttributes = { readonly shape: Shape }

/** `shape` with its -1 replaced, for a tensor of shape `from`. */
function resolveShape(from: Shape, shape: Shape): Shape {
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1)
  const resolved = shape.map(size => (size === -1 ? elements(from) / known : size))
  const sizesFit = resolved.every(size => Number.isInteger(size) && size > 0)
  if (!sizesFit || shape.filter(size => size === -1).length > 1 || elements(resolved) !== elements(from)) {
    throw new ShapeError(`${formatShape(from)} does not reshape to ${formatShape(shape)}`)
  }
  return resolved
}

export const reshape: OpDefinition<ReshapeAttributes> = defineOp<ReshapeAttributes>({
  name: 'reshape',
  traits: ['selection'],
  batch: ([x], [y]) => (y.shape.length > 0 && x.shape[0] === y.shape[0] ? { inputs: [0], outputs: [0] } : undefined),
  memory: 'view',
  axes: reshapedAxes,
  infer: ([x], { shape }) => [{ shape: resolveShape(x.shape, shape), dtype: x.dtype }],
  gradient: ({ builder, node, inputs: [x], gradients: [dy] }) => [
    dy && builder.emit(reshape, [dy], { shape: x.type.shape }, `${node.name}.dx`),
  ],
  reference: ([x], [y]) => y.data.set(x.data),
})
