/** @file Claims about plans, with a target whose only primitive is its convolution: what a graph becomes, as text. */
import { expect, test } from 'vitest'
import { describePlan, printPlan } from '../../../src/engines/planned/describe-plan.js'
import { makePlan } from '../../../src/engines/planned/make-plan.js'
import type { Lower } from '../../../src/engines/planned/operators/operator.js'
import type { Target } from '../../../src/engines/planned/target.js'
import { GraphBuilder } from '../../../src/ops/builder.js'
import { cast } from '../../../src/ops/cast.js'
import { ops } from '../../../src/ops/index.js'

const convolution: Lower = (to, node) => {
  const reads = node.inputs.map(input => to.read(input))
  to.runPrimitive({ id: 7, implementation: 'own', scratchpadBytes: 0 }, reads, [to.write()])
}

/** All lies dense, so nothing is reordered. */
const target: Target = {
  name: 'test',
  threads: 2,
  layouts: {
    dense: () => 0,
    bytesOf: () => 0,
    outputBlock: () => undefined,
    reorders: () => true,
    reorder: () => {
      throw new Error('nothing is to be reordered')
    },
  },
  convolutions: {
    conv2d: convolution,
    conv2dInputGradient: convolution,
    conv2dWeightGradient: convolution,
    integerConv2d: convolution,
    linear: { lower: convolution, inSlices: () => false },
    linearInputGradient: convolution,
    linearWeightGradient: convolution,
  },
  prefersEvenSlices: () => false,
  prepare: () => {},
}

function small(): GraphBuilder {
  const builder = new GraphBuilder()
  const image = builder.input('image', [4, 2, 2, 16])
  const weight = builder.parameter('weight', [16, 16, 1, 1], { type: 'zeros' })
  const attrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const
  const y = builder.emit(ops.relu, [builder.emit(ops.conv2d, [image, weight], attrs, 'conv')], {}, 'relu')
  const pooled = builder.emit(ops.flatten, [builder.emit(ops.globalAveragePool, [y], {}, 'pool')], {}, 'flat')
  const fc = builder.parameter('fc', [3, 16], { type: 'zeros' })
  builder.output('logits', builder.emit(ops.linear, [pooled, fc], {}, 'logits'))
  return builder
}

test('what works image by image is one loop over slices, in the memory of a thread; the rest is shared', () => {
  const plan = makePlan(small().build(), target, {})
  expect(printPlan(plan)).toBe(
    [
      '2 threads, 2560 bytes of arena, 1216 bytes of state',
      '2 slices of 2',
      '  conv (conv2d): own #0 #1 -> #3',
      '  relu (relu): activation #3 -> #3 elements=128 type=float32 activation=relu',
      '  pool (globalAveragePool): reduce #3 -> #4 #5 operation=sum type=float32 outer=2 count=4 columns=16 into=float32 scale=0.25',
      'all threads together',
      '  logits (linear): own #4 #2 -> #6',
      'buffers',
      '  #0 arena at 1280, 1024 bytes: image',
      '  #1 state at 0, 1024 bytes: weight',
      '  #2 state at 1024, 192 bytes: fc',
      '  #3 arena at 0, 512 bytes, 640 from thread to thread: conv, relu',
      '  #4 arena at 2304, 256 bytes: pool, flat',
      '  #5 arena at 512, 128 bytes, 640 from thread to thread',
      '  #6 arena at 0, 48 bytes: logits',
      'output logits = #6',
    ].join('\n'),
  )
})

test('as data it names nodes and buffers, and is JSON', () => {
  const described = describePlan(makePlan(small().build(), target, {}))
  expect(JSON.parse(JSON.stringify(described))).toEqual(described)
  expect(described.loops[0].steps[1]).toEqual({
    ...{ node: 'relu', op: 'relu', implementation: 'activation', reads: [3], writes: [3] },
    fields: { elements: 128, type: 'float32', activation: 'relu' },
  })
})

test('a target is named where something is missing', () => {
  const builder = small()
  builder.output('y', builder.emit(cast, [builder.input('x', [3])], { dtype: 'float64' }, 'wide'))
  expect(() => makePlan(builder.build(), target, {})).toThrow("the test engine has no float64 ('wide')")
})
