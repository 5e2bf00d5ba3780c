/** @file Building and printing graphs. */
import { describe, expect, test } from 'vitest'
import { consumers, inputNodes, parameterNodes, stateNodes } from '../../src/graph/graph.js'
import { printGraph } from '../../src/graph/print.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { rewrite } from '../../src/passes/rewrite.js'

const unit = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const

function small() {
  const builder = new GraphBuilder()
  const image = builder.input('image', [1, 8, 8, 3])
  const weight = builder.parameter('conv1.weight', [4, 3, 3, 3], { type: 'ones' })
  const steps = builder.buffer('steps', [], { type: 'zeros' })
  const conv = builder.emit(ops.conv2d, [image, weight], unit, 'conv1')
  const relu = builder.emit(ops.relu, [conv], {})
  const [pooled] = builder.emitAll(
    ops.maxPool,
    [relu],
    { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] },
    'pool',
  )
  return { builder, image, weight, steps, conv, relu, pooled }
}

test('prints one node a line, with types, outputs and updates', () => {
  const { builder, pooled, steps } = small()
  builder.output('features', pooled)
  builder.update(steps, builder.emit(ops.add, [steps, builder.constant(1)], {}, 'next'))
  expect(printGraph(builder.build())).toBe(`\
%image = input() : float32 1×8×8×3
%conv1.weight = parameter() initializer={"type":"ones"} : float32 4×3×3×3
%steps = buffer() initializer={"type":"zeros"} : float32 scalar
%conv1 = conv2d(%image, %conv1.weight) stride=[1,1] padding=[1,1,1,1] dilation=[1,1] groups=1 : float32 1×8×8×4
%relu = relu(%conv1) : float32 1×8×8×4
%pool = maxPool(%relu) kernel=[2,2] stride=[2,2] padding=[0,0,0,0] : float32 1×4×4×4, uint8 1×4×4×4
%constant = constant() value=1 : float32 scalar
%next = add(%steps, %constant) : float32 scalar
output features = %pool.0
update steps = %next
`)
})

describe('build', () => {
  test('drops what no output needs, but never an input', () => {
    const { builder, weight } = small()
    builder.input('label', [1], 'int32')
    builder.output('weight', weight)
    expect(builder.build().nodes.map(node => node.name)).toEqual(['image', 'conv1.weight', 'label'])
  })

  test('keeps state that is only written', () => {
    const { builder, steps } = small()
    builder.update(steps, builder.constant(3))
    const graph = builder.build()
    expect(stateNodes(graph).map(node => node.name)).toEqual(['steps'])
    expect(graph.nodes.map(node => node.op)).toEqual(['input', 'buffer', 'constant'])
  })

  test('tells leaves apart, and knows who reads what', () => {
    const { builder, pooled, conv, relu } = small()
    builder.output('features', pooled)
    const graph = builder.build()
    expect(inputNodes(graph).map(node => node.name)).toEqual(['image'])
    expect(parameterNodes(graph).map(node => node.name)).toEqual(['conv1.weight'])
    expect(consumers(graph).get(conv.node)).toEqual([relu.node])
  })
})

describe('names', () => {
  test('of operators are made unique', () => {
    const builder = new GraphBuilder()
    const x = builder.input('x', [2])
    const names = [1, 2, 3].map(() => builder.emit(ops.relu, [x], {}, 'act').node.name)
    expect(names).toEqual(['act', 'act:2', 'act:3'])
  })

  test('of leaves may not repeat', () => {
    const builder = new GraphBuilder()
    builder.input('x', [2])
    expect(() => builder.parameter('x', [2], { type: 'zeros' })).toThrow("the graph already has a node named 'x'")
  })

  test('of outputs may not repeat', () => {
    const { builder, conv } = small()
    builder.output('y', conv)
    expect(() => builder.output('y', conv)).toThrow("the graph already has an output 'y'")
  })
})

describe('types', () => {
  const typed = () => {
    const builder = new GraphBuilder()
    const codes = builder.buffer('codes', [2, 2], { type: 'ones' }, 'int8')
    const scales = builder.parameter('scales', [2], { type: 'ones' }, 'bfloat16')
    const offsets = builder.constant([-3, 7], [2], 'int32')
    const values = builder.emit(ops.cast, [codes], { dtype: 'bfloat16' }, 'values')
    builder.output('scaled', builder.emit(ops.multiply, [values, scales], {}, 'scaled'))
    builder.output('offsets', offsets)
    return builder.build()
  }
  const printed = `\
%codes = buffer() initializer={"type":"ones"} : int8 2×2
%scales = parameter() initializer={"type":"ones"} : bfloat16 2
%constant = constant() value=[-3,7] : int32 2
%values = cast(%codes) dtype=bfloat16 : bfloat16 2×2
%scaled = multiply(%values, %scales) : bfloat16 2×2
output scaled = %scaled
output offsets = %constant
`

  test('leaves have a type, and constants are tensors', () => {
    expect(printGraph(typed())).toBe(printed)
  })

  test('a pass keeps them', () => {
    expect(printGraph(rewrite(typed(), () => undefined))).toBe(printed)
  })

  const builder = new GraphBuilder()
  const normal = { type: 'normal', mode: 'fanIn', gain: 1 } as const
  test.each([
    [
      'random bytes',
      () => builder.parameter('w', [2], normal, 'int8'),
      "'w' is int8: it starts as zeros or ones, not as normal",
    ],
    ['too few numbers', () => builder.constant([1], [2]), 'a constant of float32 2 has 2 elements, got 1'],
    [
      'a number too large',
      () => builder.constant(128, [], 'int8'),
      'a constant of int8 scalar holds whole numbers from -128 to 127, got 128',
    ],
    [
      'half a byte',
      () => builder.constant([1, 0.5], [2], 'uint8'),
      'a constant of uint8 2 holds whole numbers from 0 to 255, got 0.5',
    ],
    [
      'an update of another type',
      () => builder.update(builder.buffer('b', [], { type: 'zeros' }), builder.constant(1, [], 'bfloat16')),
      "update of 'b': the state is float32, the new value is bfloat16",
    ],
  ])('%s is refused', (_, make, message) => {
    expect(make).toThrow(message)
  })
})

test('an error names operator, node and shapes', () => {
  const { builder, pooled } = small()
  const weight = builder.parameter('conv2.weight', [8, 16, 3, 3], { type: 'ones' })
  expect(() => builder.emit(ops.conv2d, [pooled, weight], unit, 'conv2')).toThrow(
    "conv2d 'conv2': input has 4 channels, weight expects 16 (out 8, in 16, 3×3)",
  )
  expect(() => builder.update(weight, pooled)).toThrow(
    "update of 'conv2.weight': the state is 8×16×3×3, the new value is 1×4×4×4",
  )
})
