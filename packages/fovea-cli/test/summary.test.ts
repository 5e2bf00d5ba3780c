/** @file Claims about `fovea summary`: its table fits the terminal, layers can be told by their names and add up to the whole. */
import { createModel, modelNames, resolveSettings, summarize, trainingBytes } from 'fovea'
import { describe, expect, test } from 'vitest'
import { formatBytesHeld, formatSummary } from '../src/commands/summary.js'
import { fovea } from './run-fovea.js'

const lastTwoParts = (name: string): string => name.split('.').slice(-2).join('.')

/** The first column, without the two lines over it. */
const namesIn = (table: string): string[] =>
  table
    .split('\n\n')[0]
    .split('\n')
    .slice(2)
    .map(line => line.split(/\s/)[0])

describe.each([
  [80, 'float32'],
  [80, 'mixed_bfloat16'],
  [100, 'mixed_bfloat16'],
] as const)('at %d columns, in %s', (width, precision) => {
  test.each(modelNames)('%s fits, and every layer keeps the last two parts of its name', model => {
    const summary = summarize(createModel(model), { precision })
    const table = formatSummary(summary, width)
    for (const line of table.split('\n\n')[0].split('\n')) expect(line.length).toBeLessThanOrEqual(width)
    const names = namesIn(table)
    expect(names.length).toBe(summary.layers.length)
    for (const [i, { name }] of summary.layers.entries()) expect(names[i].endsWith(lastTwoParts(name)), name).toBe(true)
  })
})

test('at 80 columns the layers of EfficientNet-B0 have different names still', () => {
  const names = namesIn(formatSummary(summarize(createModel('efficientnet-b0')), 80))
  expect(new Set(names).size).toBe(names.length)
})

test('one precision for all is no column, several are, with the bytes of outputs', () => {
  const table = (precision: 'float32' | 'mixed_bfloat16') =>
    formatSummary(summarize(createModel('resnet20'), { precision }), 100)
  expect(table('float32')).not.toContain('float32')
  expect(table('float32')).toMatch(/layer1\.0\.conv1 .* 64\.0 KiB /)
  expect(table('mixed_bfloat16')).toMatch(/layer1\.0\.conv1 .* 32\.0 KiB .* bfloat16\n/)
})

test('weights are counted as computed with, and as training holds them', () => {
  const model = createModel('resnet20')
  const rows = (precision: 'float32' | 'mixed_float16') => {
    const training = trainingBytes(model, resolveSettings(model, 1000, { precision }))
    const [titles, _, ...lines] = formatBytesHeld(summarize(model, { precision }), training).split('\n')
    return [titles, ...lines].map(line => line.split(/ {2,}/))
  }
  expect(rows('float32')).toEqual([
    ['bytes', 'float32'],
    ['weights, as computed with', '1.03 MiB'],
    ['held while training: weights, 16-bit copies', '1.03 MiB'],
    ["held while training: optimizer's slots (recipe one-cycle)", '1.03 MiB'],
    ['activations of one image: all outputs above', '2.56 MiB'],
  ])
  expect(rows('mixed_float16')).toEqual([
    ['bytes', 'total', 'float32', 'float16'],
    ['weights, as computed with', '531 KiB', '7.91 KiB', '523 KiB'],
    ['held while training: weights, 16-bit copies', '1.54 MiB', '1.03 MiB', '523 KiB'],
    ["held while training: optimizer's slots (recipe one-cycle)", '1.03 MiB', '1.03 MiB'],
    ['activations of one image: all outputs above', '1.28 MiB', '40 bytes', '1.28 MiB'],
  ])
})

test('--json lists each layer, and the layers add up to the whole', async () => {
  const { code, json, stderr } = await fovea(['summary', 'resnet20', '--classes', '10', '--input', '32x32x3', '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const [summary] = json
  expect(summary).toMatchObject({ model: 'resnet20', parameters: 269_722 })
  const sum = (key: string): number =>
    summary.layers.reduce((total: number, layer: Record<string, number>) => total + layer[key], 0)
  expect(sum('parameters')).toBe(summary.parameters)
  expect(sum('multiplyAdds')).toBe(summary.multiplyAdds)
  expect(summary.bytes.total).toBe(sum('bytes'))
  expect(summary.layers[0]).toMatchObject({ name: 'conv1', op: 'conv2d', precision: 'float32' })
})

test('for people it is a table that fits 100 columns', async () => {
  const { stdout } = await fovea(['summary', 'efficientnet-b0'])
  expect(stdout).toContain('parameters')
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
})
