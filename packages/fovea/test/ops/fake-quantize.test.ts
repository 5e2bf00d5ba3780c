/** @file Rounding as integers do it: the same numbers as by way of integers, and gradients that go straight through. */

import { expect, test } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { dequantize } from '../../src/ops/dequantize.js'
import { fakeQuantize, fakeQuantizeWeights } from '../../src/ops/fake-quantize.js'
import { multiply } from '../../src/ops/multiply.js'
import { scaleOf, weightScale } from '../../src/ops/quantization.js'
import { quantize } from '../../src/ops/quantize.js'
import { reduceSum } from '../../src/ops/reduce-sum.js'
import { autodiff } from '../../src/passes/autodiff.js'
import { normalAt } from '../../src/random.js'
import { runOnce } from '../engines/run-once.js'

const engine = referenceEngine({ precision: 'float32' })
const numbers = (count: number, key: number) => Float32Array.from({ length: count }, (_, i) => 3 * normalAt(key, i))

test('an activation becomes what quantize and dequantize make of it', async () => {
  const x = numbers(500, 1)
  for (const [below, above] of [
    [3, 5],
    [0, 4],
    [Math.fround(2.7), 0],
  ]) {
    const builder = new GraphBuilder()
    const input = builder.input('x', [500])
    const extent = builder.constant([below, above], [2])
    const { scale, zeroPoint } = scaleOf({ low: -below, high: above })
    const given = [builder.constant(scale), builder.constant(zeroPoint, [], 'uint8')]
    const q = builder.emit(quantize, [input, ...given], { axis: null, dtype: 'uint8' })
    builder.output('integers', builder.emit(dequantize, [q, ...given], { axis: null }))
    builder.output('rounded', builder.emit(fakeQuantize, [input, extent], {}))
    const { integers, rounded } = await runOnce(engine, builder.build(), { x })
    expect(rounded).toEqual(integers)
    expect(new Set(rounded).size).toBeGreaterThan(100)
  }
})

test('a weight becomes what an int8 with a scale for each channel stands for', async () => {
  const weight = numbers(4 * 25, 2)
  const builder = new GraphBuilder()
  const input = builder.input('weight', [4, 25])
  const scales = Array.from({ length: 4 }, (_, c) => weightScale(weight.subarray(25 * c, 25 * (c + 1)), 127))
  const scale = builder.constant(scales, [4])
  const q = builder.emit(quantize, [input, scale], { axis: 0, dtype: 'int8' })
  builder.output('integers', builder.emit(dequantize, [q, scale], { axis: 0 }))
  builder.output('rounded', builder.emit(fakeQuantizeWeights, [input], { largest: 127 }))
  const { integers, rounded } = await runOnce(engine, builder.build(), { weight })
  expect(rounded).toEqual(integers)
})

test('gradients go through the rounding, and not through what is cut off', async () => {
  const builder = new GraphBuilder()
  const x = builder.parameter('x', [6], { type: 'zeros' })
  const weight = builder.parameter('weight', [2, 3], { type: 'zeros' })
  const dy = Float32Array.of(1, 2, 3, 4, 5, 6)
  const times = builder.constant(dy, [6])
  const loss = (y: ReturnType<typeof builder.emit>, shape: readonly number[]) =>
    builder.emit(reduceSum, [builder.emit(multiply, [y, builder.constant(dy, shape)], {})], {
      axes: shape.map((_, axis) => axis),
      keepDims: false,
    })
  const rounded = builder.emit(fakeQuantize, [x, builder.constant([1, 2], [2])], {})
  const [dx] = autodiff(builder, loss(rounded, times.type.shape), [x])
  const [dweight] = autodiff(builder, loss(builder.emit(fakeQuantizeWeights, [weight], { largest: 127 }), [2, 3]), [
    weight,
  ])
  builder.output('dx', dx!)
  builder.output('dweight', dweight!)
  const program = await engine.compile(builder.build())
  await program.write('x', Float32Array.of(-1.5, -0.99, 0, 0.123, 1.99, 2.5))
  const { dx: found, dweight: straight } = await program.run({})
  expect([...found]).toEqual([0, 2, 3, 4, 5, 0])
  expect(straight).toEqual(dy)
})
