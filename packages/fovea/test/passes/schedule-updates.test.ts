import { expect, test } from 'vitest'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { scheduleUpdates } from '../../src/passes/schedule-updates.js'

test('an update runs as soon as its gradient is known and the old value is no longer needed', () => {
  const builder = new GraphBuilder()
  const x = builder.input('x', [1, 4])
  const [one, rate] = [builder.constant(1), builder.input('learningRate', [])]
  const weight = builder.parameter('weight', [4, 4], { type: 'zeros' })
  const gradient = builder.emit(ops.linearWeightGradient, [x, x], { bias: false }, 'dw')
  const dx = builder.emit(ops.linearInputGradient, [x, weight], {}, 'dx')
  const last = builder.emit(ops.relu, [dx], {}, 'last')
  builder.output('last', last)
  const attrs = { momentum: 0, nesterov: false, weightDecay: 0 }
  builder.update(weight, builder.emit(ops.sgd, [weight, gradient, one, rate], attrs, 'update'))
  const order = scheduleUpdates(builder.build()).nodes.map(node => node.name)
  expect(order).toEqual(['x', 'constant', 'learningRate', 'weight', 'dw', 'dx', 'update', 'last'])
})

test('no update is lost: two that read each other, one whose result is used before the old value', () => {
  const builder = new GraphBuilder()
  const half = builder.constant(0.5)
  const [a, b, c] = ['a', 'b', 'c'].map(name => builder.parameter(name, [4], { type: 'zeros' }))
  builder.update(a, builder.emit(ops.lerp, [a, b, half], {}, 'a.next'))
  builder.update(b, builder.emit(ops.lerp, [b, a, half], {}, 'b.next'))
  const next = builder.emit(ops.lerp, [c, a, half], {}, 'c.next')
  builder.update(c, next)
  builder.output('new', builder.emit(ops.relu, [next], {}, 'new'))
  builder.output('old', builder.emit(ops.relu, [c], {}, 'old'))
  const order = scheduleUpdates(builder.build()).nodes
  expect(order).toHaveLength(builder.build().nodes.length)
  for (const [i, { inputs }] of order.entries()) {
    for (const { node } of inputs) expect(order.indexOf(node)).toBeLessThan(i)
  }
})
