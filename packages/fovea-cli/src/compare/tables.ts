/** @file A comparison in words: what each row holds, what it does, and layer by layer what the precisions make of a model. */
import { computeType, formatBytes, formatShape, type LayerSummary } from 'fovea'
import type { Interval } from '../account/interval.js'
import { percent, withCommas } from '../output.js'
import { printable } from '../printable.js'
import { type Column, formatTable } from '../table.js'
import type { ComparedModel } from './rows.js'

interface ComparedColumn extends Column {
  readonly cell: (row: ComparedModel) => string
}

const bytes = (count: number): string => (count === 0 ? '' : formatBytes(count))
const milliseconds = (ms: number): string => `${ms < 100 ? ms.toPrecision(3) : Math.round(ms)} ms`
const optional = <T>(value: T | undefined, format: (value: T) => string): string =>
  value === undefined ? '' : format(value)

/** `78.0–79.6 %` */
const interval = ([low, high]: Interval): string => `${(100 * low).toFixed(1)}–${percent(high)}`

const named: readonly ComparedColumn[] = [
  { title: 'model', shrinkTo: 8, cell: ({ model }) => model },
  { title: 'precision', cell: ({ precision }) => precision },
]

/** What a model is and holds. */
const holds: readonly ComparedColumn[] = [
  ...named,
  { title: 'parameters', align: 'right', cell: ({ parameters }) => withCommas(parameters) },
  { title: 'mult-adds', align: 'right', cell: ({ multiplyAdds }) => withCommas(multiplyAdds) },
  { title: 'float32', align: 'right', cell: row => bytes(row.bytes.float32) },
  { title: '+ 16-bit', align: 'right', cell: row => bytes(row.bytes.bfloat16 + row.bytes.float16) },
  { title: '+ integers', align: 'right', cell: row => bytes(row.bytes.int8 + (row.bytes.int32 ?? 0)) },
  { title: 'file', align: 'right', cell: ({ fileBytes }) => optional(fileBytes, bytes) },
  { title: 'training', align: 'right', cell: row => bytes(row.trainingBytes?.total ?? 0) },
  { title: 'activations', align: 'right', cell: row => bytes(row.activationBytes.total) },
]

/** What it takes, and what it recognizes. */
const does: readonly ComparedColumn[] = [
  ...named,
  { title: 'arithmetic', cell: ({ arithmetic }) => arithmetic },
  { title: 'batch', align: 'right', cell: ({ batch }) => withCommas(batch) },
  { title: 'training step', align: 'right', cell: ({ stepMs }) => optional(stepMs, milliseconds) },
  { title: 'latency', align: 'right', cell: ({ latencyMs }) => milliseconds(latencyMs) },
  {
    title: 'accuracy',
    align: 'right',
    cell: ({ accuracy, diverged }) => (diverged === undefined ? optional(accuracy, percent) : 'diverged'),
  },
  { title: '95 %', align: 'right', cell: ({ accuracyInterval }) => optional(accuracyInterval, interval) },
  { title: 'skipped steps', align: 'right', cell: ({ skippedSteps }) => optional(skippedSteps, withCommas) },
]

/** Two tables, each with what its titles leave open, at most `width` wide. */
export function formatComparison(rows: readonly ComparedModel[], width: number): string {
  const widened = new Set(rows.filter(row => row.arithmetic === 'widened').map(row => computeType(row.precision)))
  return [
    tableOf(holds, rows, width),
    '',
    'float32, 16-bit, integers: weights by the type they compute in. training: float32 master weights,',
    "16-bit copies, optimizer's slots. activations: the outputs of all layers for one image.",
    '',
    tableOf(does, rows, width),
    '',
    'training step, latency (inference of one image): medians of steps; the rows took turns.',
    ...(rows.some(row => row.accuracyInterval)
      ? ['95 %: the interval in which the accuracy on all images of this kind lies, with that certainty.']
      : []),
    ...(widened.size > 0
      ? [`widened: stored in ${[...widened].join(' or ')}, computed in float32: less memory, not less time.`]
      : []),
    ...rows.flatMap(
      row =>
        optional(row.diverged, why => `${printable(row.model)} in ${row.precision} diverged: ${printable(why)}`) || [],
    ),
  ].join('\n')
}

/** A column in which no row has anything is left out. */
function tableOf(columns: readonly ComparedColumn[], rows: readonly ComparedModel[], width: number): string {
  const filled = columns.filter(({ cell }) => rows.some(row => cell(row) !== ''))
  return formatTable(
    filled,
    rows.map(row => filled.map(({ cell }) => cell(row))),
    width,
  )
}

/** The layers of one model, in each of its precisions: the type, and the KiB of weights and of the output. */
export function formatLayers(rows: readonly ComparedModel[], width: number): string {
  const columns: Column[] = [
    { title: 'layer', shrinkTo: 8 },
    { title: 'output', align: 'right' },
    { title: 'parameters', align: 'right' },
    ...rows.map(({ precision }): Column => ({ title: precision, align: 'right' })),
  ]
  const cells = rows.map(row => layerCells(row))
  const table = rows[0].layers.map(({ name, output, parameters }, i) => [
    ...[name, formatShape(output), parameters === 0 ? '' : withCommas(parameters)],
    ...cells.map(column => column[i]),
  ])
  return `${formatTable(columns, table, width)}\n\nIn each precision: the layer's type, KiB of its weights + KiB of its output for one image.`
}

/** `bfloat16 4.5 + 32.0`; where all is of the type that the title names, that is left out. */
function layerCells({ layers }: ComparedModel): string[] {
  const single = layers.every(({ precision }) => precision === 'float32')
  const kib = (count: number): string => (count / 1024).toFixed(1)
  const weights = ({ bytes }: LayerSummary): string => (bytes === 0 ? '' : `${kib(bytes)} +`)
  const widest = Math.max(...layers.map(({ activationBytes }) => kib(activationBytes).length))
  return layers.map(layer => {
    const output = kib(layer.activationBytes).padStart(widest)
    return [...(single ? [] : [layer.precision]), weights(layer), output].filter(part => part !== '').join(' ')
  })
}
