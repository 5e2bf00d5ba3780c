/** @file Claims about parameter groups: who is in one, what it changes, and what is refused. */
import { describe, expect, test } from 'vitest'
import { inputNodes } from '../../../src/graph/graph.js'
import {
  checkGroups,
  groupSetting,
  type ParameterGroup,
  ParameterGroups,
} from '../../../src/train/features/parameter-groups.js'
import { train } from '../../../src/train/train.js'
import { trainingGraph } from '../../../src/train/training-graph.js'
import { firstStep, stripeModel, stripeRun } from '../small-model.js'

test('the first group that matches counts', () => {
  const settings = [
    { match: '*.bias', weightDecay: 1 },
    { match: 'fc.*', weightDecay: 2 },
  ]
  const groups = new ParameterGroups(settings.map(group => groupSetting.parse(group, 'groups')))
  expect(['fc.bias', 'fc.weight', 'conv1.weight'].map(name => groups.weightDecay(name))).toEqual([1, 2, undefined])
})

test('a group trains in its epochs only', () => {
  const options = {
    batchSize: 4,
    optimizer: { type: 'sgd' },
    groups: [{ match: '*', rate: 2, from: 1, until: 3 }],
  } as const
  const { feeds } = trainingGraph(stripeModel.graph, options)
  const rateIn = (epoch: number) => feeds({ ...firstStep, epoch })['learningRate:0']
  expect([0, 1, 2, 3].map(rateIn)).toEqual([0, 0.2, 0.2, 0])
})

describe('what makes no group is named', () => {
  test.each<[ParameterGroup, string]>([
    [{ match: 'fx.*' }, "groups.0.match: 'fx.*' matches no parameter of the model, whose names are like conv1.weight"],
    [{ match: 'fc.*', rate: -1 }, 'groups.0.rate: expected a number of at least 0, got -1'],
    [{ match: 'fc.*', weightDecay: Number.NaN }, 'groups.0.weightDecay: expected a number of at least 0, got NaN'],
    [{ match: 'fc.*', from: 2, until: 2 }, 'groups.0.until: expected an epoch after 2, from which they train, got 2'],
    [{ match: '*', rate: 0 }, 'all parameters are frozen'],
  ])('%j', (group, message) => {
    const names = ['conv1.weight', 'fc.weight', 'fc.bias']
    expect(() => checkGroups([groupSetting.parse(group, 'groups.0')], names)).toThrow(message)
  })
})

test('a frozen parameter costs no gradient: neither its update nor what only it needed is in the graph', () => {
  const options = { batchSize: 4, optimizer: { type: 'sgd', momentum: 0.9 } } as const
  const whole = trainingGraph(stripeModel.graph, options)
  const head = trainingGraph(stripeModel.graph, { ...options, groups: [{ match: 'fc.*' }, { match: '*', rate: 0 }] })
  // Nor does the average of a norm's statistics: a frozen norm normalizes by those it has.
  expect([...head.updates.keys()]).toEqual(
    ['fc.bias', 'fc.bias:velocity', 'fc.weight', 'fc.weight:velocity'].sort(
      (a, b) => [...whole.updates.keys()].indexOf(a) - [...whole.updates.keys()].indexOf(b),
    ),
  )
  expect(head.nodes.some(({ op }) => op === 'conv2dWeightGradient' || op === 'conv2dInputGradient')).toBe(false)
})

test('only groups with a rate of their own are fed one', () => {
  const groups = [
    { match: 'fc.*', weightDecay: 0 },
    { match: 'bn1.*', rate: 3 },
  ]
  const graph = trainingGraph(stripeModel.graph, { batchSize: 4, optimizer: { type: 'sgd' }, groups })
  expect(inputNodes(graph).map(({ name }) => name)).toEqual(['image', 'label', 'learningRate', 'learningRate:1'])
})

test('in a run, frozen parameters keep their bits, a group outside of its epochs too, the others change', async () => {
  const run = await train(stripeModel, {
    ...stripeRun,
    groups: [
      { match: 'conv1.*', rate: 0 },
      { match: 'layer1.*', from: 2 },
      { match: 'fc.*', rate: 10 },
    ],
  })
  const changed = (name: string) =>
    run.model.weights.get(name)!.some((value, i) => value !== stripeModel.weights.get(name)![i])
  expect(['conv1.weight', 'layer1.0.conv1.weight', 'layer2.0.conv1.weight', 'fc.weight'].map(changed)).toEqual([
    false,
    false,
    true,
    true,
  ])
})
