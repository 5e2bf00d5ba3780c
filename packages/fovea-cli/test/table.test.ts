/** @file Claims about text tables. */
import { expect, test } from 'vitest'
import { formatTable } from '../src/table.js'

const columns = [
  { title: 'layer', shrink: true },
  { title: 'parameters', align: 'right' },
] as const

test('a table lines up words left and numbers right', () => {
  expect(
    formatTable(columns, [
      ['conv1', '9'],
      ['fc', '1,024'],
    ]),
  ).toBe(['layer  parameters', '─────  ──────────', 'conv1           9', `fc${'1,024'.padStart(15)}`].join('\n'))
})

test('a table narrower than its content shortens names in the middle, and no line is too wide', () => {
  const table = formatTable(columns, [['layer4.2.downsample.0', '1']], 24)
  expect(table).toContain('layer…mple.0')
  for (const line of table.split('\n')) expect(line.length).toBeLessThanOrEqual(24)
})
