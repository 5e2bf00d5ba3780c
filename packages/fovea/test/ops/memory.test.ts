/** @file What operators say of the memory that outputs may take is true: there they give what they give elsewhere. */
import { expect, test } from 'vitest'
import { sameShape } from '../../src/graph/types.js'
import type { Tensor } from '../../src/ops/define.js'
import { ops } from '../../src/ops/index.js'
import { operatorCases } from './cases/index.js'
import { evaluatedNodes } from './evaluated-nodes.js'

const fits = (a: Tensor | undefined, b: Tensor | undefined) =>
  a !== undefined && b !== undefined && a.dtype === b.dtype && sameShape(a.shape, b.shape)

const overwritten = new Set<string>()

test.each(operatorCases.map(sample => [`${sample.op}: ${sample.name}`, sample] as const))('%s', (_, sample) => {
  for (const { node, definition, inputs, outputs } of evaluatedNodes(sample)) {
    if (definition.memory === 'view') {
      expect(outputs[0].data).toEqual(inputs[0].data)
      continue
    }
    for (const [index, choices] of definition.memory.entries()) {
      for (const choice of choices.filter(i => fits(inputs[i], outputs[index]))) {
        overwritten.add(`${node.op} ${choice} → ${index}`)
        const own = inputs.map(input => ({ ...input, data: input.data.slice() }))
        const fresh = outputs.map(({ shape, dtype, data }) => ({ shape, dtype, data: data.slice().fill(0) }))
        fresh[index] = own[choice]
        definition.reference(own, fresh, node.attrs)
        expect(fresh, `${node.op}: output ${index} over input ${choice}`).toEqual(outputs)
      }
    }
  }
})

test('every choice was tried', () => {
  const declared = Object.entries(ops).flatMap(([name, { memory }]) =>
    memory === 'view' ? [] : memory.flatMap((choices, index) => choices.map(choice => `${name} ${choice} → ${index}`)),
  )
  expect(declared.filter(choice => !overwritten.has(choice))).toEqual([])
})
