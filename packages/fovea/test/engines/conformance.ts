/** @file What holds for every compiled engine: it agrees with the float64 reference on every case of every operator, forward and backward. */

import { expect, test } from 'vitest'
import type { Engine } from '../../src/engines/engine.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import type { HalfType } from '../../src/graph/float16.js'
import type { Value } from '../../src/graph/graph.js'
import { activationOps } from '../../src/ops/activation.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { caseGraph, operatorCases } from '../ops/cases/index.js'
import { differencesOn, epsilon, withinEach } from './differences.js'
import { runOnce } from './run-once.js'

const cases = operatorCases.map(sample => [`${sample.op}: ${sample.name}`, sample] as const)

export function agreesInFloat32(engine: () => Engine): void {
  test.each(cases)('%s', async (_, sample) => {
    withinEach(await differencesOn(engine(), caseGraph(sample)), 2e-5)
  })
}

/** Operators of which some node, forward or backward, is refused in a 16-bit type. */
const float32Only: readonly string[] = [
  'reduceMax',
  'softmax',
  'crossEntropy',
  'meanSquaredError',
  'sgd',
  'adam',
  'rmsProp',
  'runningAverage',
  'accumulate',
  'lerp',
  'where',
  'gradientScale',
]

/** @param name of the engine, in messages */
export function agreesIn(half: HalfType, engine: () => Engine, name: string): void {
  test.each(cases)('%s', async (_, sample) => {
    const { graph, feeds } = caseGraph(sample, { half })
    if (float32Only.includes(sample.op)) {
      const refusal = new RegExp(`the ${name} engine has \\w+ of float32 only, '.*' is of b?float16`)
      await expect(engine().compile(graph)).rejects.toThrow(refusal)
      return
    }
    // Both sides round each result, from sums in different orders: two units in the last place of the largest.
    withinEach(await differencesOn(engine(), { graph, feeds }), 4 * epsilon[half])
  })
}

export function keepsWhatIsNoNumber(engine: () => Engine): void {
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e38, -1e38, 0, -0]
  const images = Float32Array.from({ length: 2 * 4 * 4 * 5 }, (_, i) => (i % 3 === 0 ? special[(i / 3) % 7] : i - 80))
  const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] } as const
  const build: Record<string, (builder: GraphBuilder, x: Value) => Value> = {
    ...Object.fromEntries(
      Object.entries(activationOps).map(([name, op]) => [
        name,
        (builder: GraphBuilder, x: Value) => builder.emit(op, [x], {}),
      ]),
    ),
    maxPool: (builder, x) => builder.emit(ops.maxPool, [x], window),
    averagePool: (builder, x) => builder.emit(ops.averagePool, [x], { ...window, countPadding: true }),
    add: (builder, x) => builder.emit(ops.add, [x, x], {}),
    batchNormTraining: (builder, x) => {
      const [weight, bias] = [builder.constant(1, [5]), builder.constant(0, [5])]
      return builder.emit(ops.batchNormTraining, [x, weight, bias], { epsilon: 1e-5, activation: 'silu' })
    },
  }
  test.each(Object.keys(build))('%s', async name => {
    const builder = new GraphBuilder()
    builder.output('y', build[name](builder, builder.input('x', [2, 4, 4, 5])))
    const graph = builder.build()
    const [expected, actual] = await Promise.all(
      [referenceEngine(), engine()].map(engine => runOnce(engine, graph, { x: images })),
    )
    const finite = (values: ArrayLike<number>) => Array.from(values, Number.isFinite)
    expect(finite(actual['y'])).toEqual(finite(expected['y']))
    expect(Array.from(actual['y'], Number.isNaN).includes(true)).toBe(true)
  })
}
