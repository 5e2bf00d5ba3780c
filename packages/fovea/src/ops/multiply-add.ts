/** @file a · b + c in one pass, b and c broadcast to a: what `passes/fuse-gradients.ts` makes of a scale's two gradients. */
import { ShapeError } from '../errors.js'
import { broadcastShapes, formatShape, sameShape } from '../graph/types.js'
import { defineOp } from './define.js'
import { elementwise } from './elementwise.js'
import { expectOneType } from './expect.js'
import { broadcastIndices } from './strided.js'

export const multiplyAdd = defineOp<Record<string, never>>({
  name: 'multiplyAdd',
  ...elementwise,
  memory: [[0, 1, 2]],
  infer: ([a, b, c]) => {
    for (const other of [b, c]) {
      const shape = broadcastShapes(a.shape, other.shape)
      if (shape === undefined || !sameShape(shape, a.shape)) {
        throw new ShapeError(`${formatShape(other.shape)} does not broadcast to ${formatShape(a.shape)}`)
      }
    }
    expectOneType({ 'the first factor': a, 'the second': b, 'what is added': c })
    return [a]
  },
  reference: ([a, b, c], [y]) => {
    const [fromB, fromC] = [broadcastIndices(b.shape, a.shape), broadcastIndices(c.shape, a.shape)]
    for (let i = 0; i < y.data.length; i++) y.data[i] = a.data[i] * b.data[fromB[i]] + c.data[fromC[i]]
  },
})
