/** @file Claims about the table of `fovea summary`: it fits the terminal, and layers can be told by their names. */
import { createModel, modelNames, summarize } from 'fovea'
import { describe, expect, test } from 'vitest'
import { formatSummary } from '../src/commands/summary.js'

const lastTwoParts = (name: string): string => name.split('.').slice(-2).join('.')

/** The first column, without the two lines over it. */
const namesIn = (table: string): string[] =>
  table
    .split('\n\n')[0]
    .split('\n')
    .slice(2)
    .map(line => line.split(/\s/)[0])

describe.each(['float32', 'mixed_bfloat16'] as const)('at 80 columns, in %s', precision => {
  test.each(modelNames)('%s fits, and every layer keeps the last two parts of its name', model => {
    const summary = summarize(createModel(model), { precision })
    const table = formatSummary(summary, 80)
    for (const line of table.split('\n\n')[0].split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    const names = namesIn(table)
    expect(names.length).toBe(summary.layers.length)
    for (const [i, { name }] of summary.layers.entries()) expect(names[i].endsWith(lastTwoParts(name)), name).toBe(true)
  })
})

test('at 80 columns the layers of EfficientNet-B0 have different names still', () => {
  const names = namesIn(formatSummary(summarize(createModel('efficientnet-b0')), 80))
  expect(new Set(names).size).toBe(names.length)
})

test('one precision for all is said once, several are a column', () => {
  const table = (precision: 'float32' | 'mixed_bfloat16') =>
    formatSummary(summarize(createModel('resnet20'), { precision }), 100)
  expect(table('float32')).toMatch(/ MiB in float32\), /)
  expect(table('float32').match(/float32/g)?.length).toBe(1)
  expect(table('mixed_bfloat16')).toMatch(/layer1\.0\.conv1 .* bfloat16\n/)
})
