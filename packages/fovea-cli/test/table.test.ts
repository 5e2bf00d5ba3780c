/** @file Claims about text tables. */
import { expect, test } from 'vitest'
import { formatTable } from '../src/table.js'

const columns = [
  { title: 'layer', shrinkTo: 8 },
  { title: 'cost', align: 'right' },
] as const

test('a table lines up words left and numbers right', () => {
  const rows = [
    ['conv1', '9'],
    ['fc', '1,024'],
  ]
  expect(formatTable(columns, rows)).toBe(
    `
layer   cost
─────  ─────
conv1      9
fc     1,024`.trim(),
  )
})

test('a table wider than the terminal shortens names in the middle until every line fits', () => {
  const table = formatTable(columns, [['layer4.2.downsample.0', '1,024']], 19)
  expect(table).toContain('layer…mple.0')
  for (const line of table.split('\n')) expect(line.length).toBeLessThanOrEqual(19)
})
