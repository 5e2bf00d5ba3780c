/** @file All axes but the batch's as one: batch×height×width×channels becomes batch×features. */
import { ShapeError } from '../errors.js'
import { elements, formatShape } from '../graph/types.js'
import { reshapedAxes } from './axes.js'
import { perImage } from './batch.js'
import { defineOp } from './define.js'
import { reshape } from './reshape.js'

export const flatten = defineOp<Record<string, never>>({
  name: 'flatten',
  traits: ['selection'],
  batch: perImage([0]),
  memory: 'view',
  axes: reshapedAxes,
  infer: ([x]) => {
    if (x.shape.length === 0) throw new ShapeError(`input must have a batch axis, got ${formatShape(x.shape)}`)
    return [{ shape: [x.shape[0], elements(x.shape.slice(1))], dtype: x.dtype }]
  },
  gradient: ({ builder, node, inputs: [x], gradients: [dy] }) => [
    dy && builder.emit(reshape, [dy], { shape: x.type.shape }, `${node.name}.dx`),
  ],
  reference: ([x], [y]) => y.data.set(x.data),
})
