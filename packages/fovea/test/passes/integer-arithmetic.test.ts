/** @file What becomes integers, and that it is what it was, bit for bit. */
import { expect, test } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import type { Graph, Value } from '../../src/graph/graph.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { integerArithmetic } from '../../src/passes/integer-arithmetic.js'
import { normalAt } from '../../src/random.js'

/** Squeeze-and-excitation's product, rounded; with a second reader, if asked for. */
function scaled(kept: boolean): Graph {
  const builder = new GraphBuilder()
  const x = builder.input('x', [2, 3, 3, 5])
  const gate = builder.input('gate', [2, 1, 1, 5])
  const product = builder.emit(ops.multiply, [x, gate], {}, 'scaled')
  const scales: Value[] = [builder.constant(0.013), builder.constant(120, [], 'uint8')]
  builder.output('y', builder.emit(ops.quantize, [product, ...scales], { axis: null, dtype: 'uint8' }, 'rounded'))
  if (kept) builder.output('product', product)
  return builder.build()
}

test('a product that is read as integers alone is one operator, and the same integers', async () => {
  const graph = scaled(false)
  const integers = integerArithmetic(graph)
  expect(integers.nodes.map(({ op }) => op).filter(op => ['multiply', 'quantize'].includes(op))).toEqual([])
  expect(integers.outputs.get('y')!.node.op).toBe('quantizedProduct')
  const feeds = {
    x: Float32Array.from({ length: 90 }, (_, i) => normalAt(1, i)),
    gate: Float32Array.from({ length: 10 }, (_, i) => normalAt(2, i)),
  }
  const run = async (of: Graph) => (await referenceEngine().compile(of).run(feeds))['y']
  expect(await run(integers)).toEqual(await run(graph))
})

test('a product that others read too stays as it is', () => {
  const graph = scaled(true)
  expect(integerArithmetic(graph).nodes.map(({ op }) => op)).toEqual(graph.nodes.map(({ op }) => op))
})
