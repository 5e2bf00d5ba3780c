/** @file Subnormal numbers, with which processors compute many times slower, are zero in every thread of the engine, and in no other. */
import { describe, expect, test } from 'vitest'
import type { Value } from '../../fovea/src/graph/graph.js'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { onednnEngine, onednnStatus } from '../src/index.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

const size = 1 << 20

describe.skipIf(!available)('subnormal numbers', () => {
  test.each([1, 2])('are zero in a step on %i threads', async threads => {
    const builder = new GraphBuilder()
    const multiply = (x: Value, factor: number) => builder.emit(ops.multiply, [x, builder.constant(factor)], {})
    const x = builder.input('x', [size])
    builder.output('operand', multiply(x, 2 ** 40))
    builder.output('result', multiply(x, 1e-10))
    const program = await onednnEngine({ threads }).compile(builder.build())
    const { operand, result } = await program.run({
      x: Float32Array.from({ length: size }, (_, i) => (i % 2 ? 1e-39 : 1e-30)),
    })
    expect(operand.every((value, i) => (i % 2 ? value === 0 : value > 0))).toBe(true)
    expect(result.every(value => value === 0)).toBe(true)
    program.dispose()
    expect(Float64Array.of(Number.MIN_VALUE).map(x => 2 * x)[0]).toBeGreaterThan(0)
  })
})
