/** @file What operators say of their axes is true: channels can be exchanged and left out along the links, in every case. */
import { describe, expect, test } from 'vitest'
import { elements } from '../../src/graph/types.js'
import { resizedAttributes, withOutputShape } from '../../src/ops/axes.js'
import type { AxisLink, LinkedAxis, Tensor } from '../../src/ops/define.js'
import { ops } from '../../src/ops/index.js'
import { denseStrides, stridedIndices } from '../../src/ops/strided.js'
import { permutation, streamOf } from '../../src/random.js'
import { operatorCases } from './cases/index.js'
import { apply, type EvaluatedNode, evaluatedNodes } from './evaluated-nodes.js'

/** A tensor with these indices along one of its axes. */
function take(tensor: Tensor, axis: number, indices: readonly number[]): Tensor {
  const shape = tensor.shape.map((size, a) => (a === axis ? indices.length : size))
  const strides = denseStrides(tensor.shape)
  const before = stridedIndices(tensor.shape.slice(0, axis), strides.slice(0, axis))
  const after = stridedIndices(tensor.shape.slice(axis + 1), strides.slice(axis + 1))
  const data = tensor.data.slice(0, elements(shape))
  let to = 0
  for (const b of before)
    for (const i of indices) for (const a of after) data[to++] = tensor.data[b + i * strides[axis] + a]
  return { ...tensor, shape, data }
}

const range = (size: number) => [...Array(size).keys()]
const channelCount = (link: AxisLink) => 1 + Math.max(-1, ...link.flatMap(({ channels }) => [...channels]))

/** The indices of an axis in the order in which channel c is where channel `order[c]` was. */
function exchanged({ channels }: LinkedAxis, order: readonly number[]): number[] {
  const of = (channel: number) => range(channels.length).filter(i => channels[i] === channel)
  const places = order.map((_, channel) => of(channel))
  const result = range(channels.length)
  for (const [channel, from] of order.entries())
    places[channel].forEach((place, k) => (result[place] = places[from][k]))
  return result
}

const withZeros = (tensor: Tensor, axis: number, isZero: (index: number) => boolean): Tensor => {
  const stride = denseStrides(tensor.shape)[axis]
  const size = tensor.shape[axis]
  return { ...tensor, data: tensor.data.map((x: number, i: number) => (isZero(Math.floor(i / stride) % size) ? 0 : x)) }
}

const onAxes = (
  kind: LinkedAxis['tensor'],
  link: AxisLink,
  tensors: readonly Tensor[],
  change: (tensor: Tensor, linked: LinkedAxis) => Tensor,
) =>
  tensors.map((tensor, i) =>
    link
      .filter(linked => linked.tensor === kind && linked.index === i)
      .reduce((result, linked) => change(result, linked), tensor),
  )

function expectClose(actual: readonly Tensor[], expected: readonly Tensor[], what: string): void {
  expect(
    actual.map(({ shape }) => shape),
    what,
  ).toEqual(expected.map(({ shape }) => shape))
  for (const [i, { data }] of expected.entries()) {
    const scale = Math.max(1, ...Array.from(data, Math.abs))
    const errors = Array.from(data, (x, k) => Math.abs(x - actual[i].data[k]))
    expect(Math.max(0, ...errors), what).toBeLessThan(1e-12 * scale)
  }
}

function exchange({ node, definition, inputs, outputs }: EvaluatedNode, link: AxisLink): void {
  const order = [...permutation(channelCount(link), streamOf(node.name))]
  const reorder = (tensor: Tensor, linked: LinkedAxis) => take(tensor, linked.axis, exchanged(linked, order))
  const got = apply(definition, onAxes('input', link, inputs, reorder), node.attrs)
  expectClose(got, onAxes('output', link, outputs, reorder), `${node.op}, exchanged`)
}

/** Leaves out every third channel, and every third index of none. */
function leaveOut({ node, definition, inputs, outputs }: EvaluatedNode, link: AxisLink): void {
  const isLeft = ({ channels }: LinkedAxis, index: number) =>
    channels.length === 1 || (channels[index] < 0 ? index : channels[index]) % 3 !== 1
  const left = (linked: LinkedAxis) => range(linked.channels.length).filter(i => isLeft(linked, i))
  const zeroed = onAxes('input', link, inputs, (tensor, linked) =>
    withZeros(tensor, linked.axis, i => !isLeft(linked, i)),
  )
  const cut = (tensor: Tensor, linked: LinkedAxis) => take(tensor, linked.axis, left(linked))
  const expected = onAxes('output', link, apply(definition, zeroed, node.attrs), cut)
  const keptOf = (kind: LinkedAxis['tensor'], tensors: readonly Tensor[]) =>
    tensors.map(({ shape }, index) =>
      shape.map((size, axis) => {
        const linked = link.find(one => one.tensor === kind && one.index === index && one.axis === axis)
        return linked === undefined ? range(size) : left(linked)
      }),
    )
  const kept = { inputs: keptOf('input', inputs), outputs: keptOf('output', outputs) }
  const got = apply(definition, onAxes('input', link, inputs, cut), resizedAttributes(definition, node.attrs, kept))
  expectClose(got, expected, `${node.op}, left out`)
}

const tried = new Set<string>()

describe.each([...new Set(operatorCases.map(({ op }) => op))])('%s', op => {
  test.each(operatorCases.filter(sample => sample.op === op))('$name', sample => {
    for (const evaluated of evaluatedNodes(sample)) {
      const { node, definition, inputs, outputs } = evaluated
      expect(withOutputShape(node.attrs, outputs[0].shape), 'the attribute shape').toEqual(node.attrs)
      const links = definition.axes(inputs, outputs, node.attrs)
      const places = links.flat().map(({ tensor, index, axis }) => `${tensor} ${index} axis ${axis}`)
      expect(
        places.filter((place, i) => places.indexOf(place) !== i),
        `${node.op}: axes in two links`,
      ).toEqual([])
      for (const link of links) {
        for (const { tensor, index, axis, channels } of link) {
          expect(channels.length).toBe((tensor === 'input' ? inputs : outputs)[index].shape[axis])
        }
        tried.add(node.op)
        exchange(evaluated, link)
        leaveOut(evaluated, link)
      }
    }
  })
})

test('only losses, gradients, updates and what takes statistics of the batch say nothing of their axes', () => {
  const silent = Object.keys(ops).filter(op => !tried.has(op))
  expect(silent.filter(op => !op.endsWith('Gradient'))).toEqual([
    'batchNormTraining',
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
  ])
})
