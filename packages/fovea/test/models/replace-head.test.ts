/** @file Claims about a new head: it fits any model, and leaves all else as it was. */
import { expect, test } from 'vitest'
import { createModel } from '../../src/models/registry.js'
import { headParameters, replaceHead } from '../../src/models/replace-head.js'

test.each([
  ['resnet20', ['fc.weight', 'fc.bias']],
  ['efficientnet-b0', ['classifier.1.weight', 'classifier.1.bias']],
  ['cnn', ['fc2.weight', 'fc2.bias']],
  ['speednet', ['head.weight']],
])('%s has its head in %j; the new one is of the new size, the rest is the same', (name, head) => {
  const model = createModel(name, { input: [32, 32, 3], classes: 10 })
  expect(headParameters(model.graph)).toEqual(head)
  const other = replaceHead(model, ['cat', 'dog', 'bird'], 7)
  expect(other.labels).toEqual(['cat', 'dog', 'bird'])
  expect(other.graph.outputs.get('logits')!.type.shape).toEqual([1, 3])
  for (const [key, values] of model.weights) {
    if (head.includes(key)) expect(other.weights.get(key)!.length).toBe((values.length / 10) * 3)
    else expect(other.weights.get(key)).toBe(values)
  }
  expect(replaceHead(model, ['a', 'b', 'c'], 7).weights.get(head[0])).toEqual(other.weights.get(head[0]))
})

test('one class is no choice', () => {
  expect(() => replaceHead(createModel('resnet8'), ['cat'])).toThrow('at least 2 classes, got 1')
})
