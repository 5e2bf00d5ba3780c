/** @file Runs one operator on plain numbers, in float64, for tests with known values. */

import { referenceEngine } from '../../src/engines/reference/reference.js'
import type { Attributes } from '../../src/graph/graph.js'
import type { DType } from '../../src/graph/types.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { type OpName, opDefinition } from '../../src/ops/index.js'
import { runOnce } from '../engines/run-once.js'

export interface Given {
  readonly shape: readonly number[]
  readonly values: readonly number[]
  readonly dtype?: DType
}

export const vector = (...values: number[]): Given => ({ shape: [values.length], values })
export const scalar = (value: number, dtype: DType = 'float32'): Given => ({ shape: [], values: [value], dtype })

/** All outputs of the operator, as lists of numbers. */
export async function evaluate(op: OpName, inputs: readonly Given[], attrs: Attributes = {}): Promise<number[][]> {
  const builder = new GraphBuilder()
  const feeds: Record<string, Float64Array | Int32Array> = {}
  const values = inputs.map(({ shape, values, dtype = 'float32' }, i) => {
    feeds[`in${i}`] = dtype === 'int32' ? Int32Array.from(values) : Float64Array.from(values)
    return builder.input(`in${i}`, shape, dtype)
  })
  const outputs = builder.emitAll(opDefinition(op), values, attrs)
  outputs.forEach((value, i) => {
    builder.output(`${i}`, value)
  })
  const results = await runOnce(referenceEngine({ precision: 'float64' }), builder.build(), feeds)
  return outputs.map((_, i) => Array.from(results[i]))
}
