/**
 * @file Broadcasts and reductions at sizes that the cases of the table are too small for: several tiles, blocks of rows,
 * chunks of columns, rests of each, and results too few for the threads.
 */
import { afterEach, describe, expect, test } from 'vitest'
import { denseStrides } from '../../fovea/src/engines/kit.js'
import { type Shape, sameShape } from '../../fovea/src/graph/types.js'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { normalAt } from '../../fovea/src/random.js'
import { onednnEngine, onednnStatus } from '../src/index.js'
import { differences, withinEach } from './differences.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

afterEach(() => {
  delete process.env['FOVEA_ISA']
})

const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1)
const values = (shape: Shape, key: number): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => normalAt(key, i))

const reduced: readonly (readonly [shape: Shape, axes: readonly number[]])[] = [
  [[70_001], [0]],
  [[3, 40_003], [1]],
  [[9001, 5], [1]],
  [[2000, 2, 129], [1]],
  [[40_001, 3], [0]],
  [[5, 7, 3001], [0]],
  [[2, 1500, 17], [1]],
  [[130, 1100], [0]],
  [
    [2, 300, 65],
    [0, 2],
  ],
  [
    [4, 33, 5, 70],
    [1, 3],
  ],
  [
    [4, 33, 5, 70],
    [0, 2],
  ],
  [[20, 1030], []],
]

const broadcast: readonly (readonly [a: Shape, b: Shape])[] = [
  [
    [3, 5003],
    [3, 5003],
  ],
  [[2000, 6], [6]],
  [
    [7, 300, 17],
    [7, 1, 17],
  ],
  [
    [7, 300, 17],
    [7, 300, 1],
  ],
  [
    [4, 1, 3001],
    [5, 1],
  ],
  [
    [900, 1, 3],
    [5, 1],
  ],
  [
    [2, 1030],
    [2, 1],
  ],
  [
    [1, 40, 1, 60],
    [9, 1, 7, 1],
  ],
]

describe.skipIf(!available).each(['avx512', 'avx2', 'generic'])('%s', isa => {
  test.each(reduced)('reductions of %j over %j', async (shape, axes) => {
    process.env['FOVEA_ISA'] = isa
    const builder = new GraphBuilder()
    const [x, y] = ['x', 'y'].map(name => builder.input(name, shape))
    const attrs = { axes, keepDims: true }
    const maxima = builder.emit(ops.reduceMax, [x], attrs)
    builder.output('sum', builder.emit(ops.reduceSum, [x], attrs))
    builder.output('mean', builder.emit(ops.reduceMean, [x], attrs))
    builder.output('products', builder.emit(ops.productSum, [x, y], attrs))
    builder.output('maximum', maxima)
    builder.output('gradient', builder.emit(ops.reduceMaxGradient, [maxima, x, maxima], attrs))
    withinEach(await differences({ graph: builder.build(), feeds: { x: values(shape, 1), y: values(shape, 2) } }), 1e-6)
  })

  test.each(broadcast)('%j and %j', async (a, b) => {
    process.env['FOVEA_ISA'] = isa
    const builder = new GraphBuilder()
    const inputs = { a, b }
    const [x, y] = Object.entries(inputs).map(([name, shape]) => builder.input(name, shape))
    const sum = builder.emit(ops.add, [x, y], {})
    builder.output('sum', sum)
    builder.output('product', builder.emit(ops.multiply, [y, x], {}))
    builder.output('wide', builder.emit(ops.broadcastTo, [y], { shape: sum.type.shape }))
    if (sameShape(a, sum.type.shape)) builder.output('both', builder.emit(ops.multiplyAdd, [x, y, y], {}))
    withinEach(await differences({ graph: builder.build(), feeds: { a: values(a, 3), b: values(b, 4) } }), 1e-6)
  })
})

test.skipIf(!available)('a maximum of what is no number is none, wherever it stands', async () => {
  const shape = [3, 2000]
  const builder = new GraphBuilder()
  builder.output('y', builder.emit(ops.reduceMax, [builder.input('x', shape)], { axes: [1], keepDims: false }))
  const program = await onednnEngine({ threads: 2 }).compile(builder.build())
  for (const at of [0, 17, 999, 1999]) {
    const x = values(shape, 5)
    x[denseStrides(shape)[0] + at] = Number.NaN
    const { y } = await program.run({ x })
    expect(Array.from(y, Number.isNaN)).toEqual([false, true, false])
  }
})
