/** @file Claims about patterns over names: which names they fit. */
import { expect, test } from 'vitest'
import { matches } from '../../src/graph/patterns.js'

test.each([
  ['layer1.*', 'layer1.0.conv1.weight', true],
  ['layer1.*', 'layer10.conv', false],
  ['*.norm?.bias', 'group1.norm2.bias', true],
  ['*.norm?.bias', 'group1.norm.bias', false],
  ['fc.weight', 'fc.weight', true],
  ['fc.weight', 'fcxweight', false],
  ['fc', 'fc.weight', false],
  ['*', 'anything', true],
])("'%s' and '%s': %s", (pattern, name, expected) => {
  expect(matches(pattern, name)).toBe(expected)
})
