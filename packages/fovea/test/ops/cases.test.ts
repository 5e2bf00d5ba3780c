/** @file The table of cases is complete, and all that holds for every case: shapes, determinism, messages for bad input. */

import { describe, expect, test } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { ShapeError } from '../../src/errors.js'
import { elements } from '../../src/graph/types.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { opDefinition, ops } from '../../src/ops/index.js'
import { runOnce } from '../engines/run-once.js'
import { caseGraph, operatorCases, operatorSpecs } from './cases/index.js'

test('every operator, and every gradient operator, is run by a case', () => {
  const run = new Set(operatorCases.flatMap(sample => caseGraph(sample).graph.nodes.map(node => node.op)))
  expect(Object.keys(ops).filter(op => !run.has(op))).toEqual([])
})

test('the table of operators has each under its own name', () => {
  for (const [name, definition] of Object.entries(ops)) expect(definition.name).toBe(name)
})

test('no two cases of an operator have the same name', () => {
  const names = operatorCases.map(({ op, name }) => `${op} ${name}`)
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})

describe.each([...new Set(operatorCases.map(sample => sample.op))])('%s', op => {
  test.each(operatorCases.filter(sample => sample.op === op))('$name', async sample => {
    const { graph, feeds } = caseGraph(sample)
    const [wide, narrow] = await Promise.all(
      (['float64', 'float32'] as const).map(precision => runOnce(referenceEngine({ precision }), graph, feeds)),
    )
    for (const [name, { type }] of graph.outputs) {
      expect(narrow[name].length).toBe(elements(type.shape))
      const scale = Math.max(1, ...Array.from(wide[name], Math.abs))
      const tolerance = type.dtype === 'bfloat16' ? 2 ** -8 : type.dtype === 'float16' ? 2 ** -11 : 1e-5
      const errors = Array.from(wide[name], (y, i) => Math.abs(y - narrow[name][i]))
      expect(Math.max(...errors), name).toBeLessThanOrEqual(tolerance * scale)
    }
  })
})

describe('bad input', () => {
  const invalid = operatorSpecs.flatMap(({ op, invalid }) => invalid.map(sample => ({ op, ...sample })))
  test.each(invalid)('$op: $name', ({ op, inputs, attrs, message }) => {
    const builder = new GraphBuilder()
    const values = inputs.map(({ shape, dtype }, i) => builder.input(`in${i}`, shape, dtype))
    const emit = () => builder.emit(opDefinition(op), values, attrs ?? {}, 'layer1.0')
    expect(emit).toThrow(ShapeError)
    expect(emit).toThrow(message)
    expect(emit).toThrow(new RegExp(`^${op} 'layer1\\.0`))
  })
})
