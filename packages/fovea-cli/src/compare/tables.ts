/**
 * @file A comparison as tables: what each row is and holds, what it takes, how fast it is, what it recognizes; of a single model in
 * several precisions, what they make of each layer.
 */
import { basename } from 'node:path'
import { formatBytes, formatShape, type LayerSummary } from 'fovea'
import { type Quantity, quantities } from '../account/quantities.js'
import { ABOUT_ZEROS } from '../account/table.js'
import { withCommas } from '../output.js'
import { printable } from '../printable.js'
import { type Column, formatTable } from '../table.js'
import type { Fronts } from './fronts.js'
import { rowType } from './row-types.js'
import type { ComparedModel } from './rows.js'
import { techniqueText } from './techniques.js'

/** A table, what is over it, and what its own titles leave open. */
export interface Section {
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
  readonly notes: readonly string[]
}

interface ComparedColumn extends Column {
  readonly cell: (row: ComparedModel) => string
}

const number = ({ name, title = name.trim(), cell }: Quantity): ComparedColumn => ({
  ...{ title, align: 'right' },
  cell: row => (cell(row) === formatBytes(0) ? '' : cell(row)),
})

/** The same, only of some rows. */
const numberIf = (has: (row: ComparedModel) => boolean, quantity: Quantity): ComparedColumn => ({
  ...number(quantity),
  cell: row => (has(row) ? quantity.cell(row) : ''),
})

const named: readonly ComparedColumn[] = [
  { title: 'model', shrinkTo: 8, cell: row => row.model },
  { title: 'precision', cell: row => row.precision },
]

const parameters: readonly ComparedColumn[] = [
  ...named,
  { title: 'technique', cell: ({ techniques }) => techniqueText(techniques) },
  number(quantities.parameters),
  numberIf(({ removed }) => removed !== 0, quantities.kept),
  numberIf(({ removed }) => removed !== 0, quantities.removed),
  number(quantities.multiplyAdds),
]

const bytes: readonly ComparedColumn[] = [
  ...[...named, number(quantities.float32), number(quantities.sixteenBits), number(quantities.integers)],
  ...[number(quantities.file), number(quantities.training), number(quantities.activations), number(quantities.atOnce)],
]

const speed: readonly ComparedColumn[] = [
  ...named,
  { title: 'arithmetic', cell: ({ arithmetic }) => arithmetic },
  { title: 'batch', align: 'right', cell: ({ batch }) => (batch === undefined ? '' : withCommas(batch)) },
  ...[number(quantities.trainingStep), number(quantities.latency), number(quantities.throughput)],
]

const recognition: readonly ComparedColumn[] = [
  ...named,
  {
    ...number(quantities.accuracy),
    cell: row => (row.diverged === undefined ? quantities.accuracy.cell(row) : 'diverged'),
  },
  ...[number(quantities.interval), number(quantities.calibrationError), number(quantities.changed)],
  number(quantities.skippedSteps),
]

/** By what tells the models apart, if that is the last part of each path: a table is no wider than it must be. */
function withShortNames(rows: readonly ComparedModel[]): readonly ComparedModel[] {
  const names = new Set(rows.map(({ model }) => model))
  const short = new Set([...names].map(name => basename(name)))
  return short.size === names.size ? rows.map(row => ({ ...row, model: basename(row.model) })) : rows
}

/** @param fronts the rows that no other beats, if anything was recognized */
export function sectionsOf(compared: readonly ComparedModel[], fronts: Fronts = {}): Section[] {
  const rows = withShortNames(compared)
  const widened = new Set(rows.filter(row => row.arithmetic === 'widened').map(row => rowType(row.precision)))
  const [{ throughput }] = rows
  const isSingle = rows.length > 1 && rows.every(({ model }) => model === rows[0].model)
  const front: ComparedColumn = {
    title: 'best for its',
    cell: row => (['latency', 'bytes'] as const).filter(cost => fronts[cost]?.includes(rows.indexOf(row))).join(', '),
  }
  const all: Section[] = [
    {
      ...{ title: 'Parameters', ...tableOf(parameters, rows) },
      notes: [
        ...(rows.some(({ removed }) => removed !== 0)
          ? [
              "removed: of its architecture's parameters; int8 has no norms, only convolutions.",
              'channels −40 %: of the multiply-adds. weights −80 %: of those of convolutions and matrices.',
            ]
          : []),
        ...(rows.some(({ kept, parameters }) => kept < parameters) ? [ABOUT_ZEROS] : []),
      ],
    },
    {
      ...{ title: 'Bytes', ...tableOf(bytes, rows) },
      notes: [
        'float32, 16-bit, integers: weights by the type they compute in. training: float32 master weights,',
        "16-bit copies, optimizer's slots. activations: the outputs of all layers for one image; at once:",
        'the most of them that must be there together.',
      ],
    },
    {
      ...{ title: 'Speed', ...tableOf(speed, rows) },
      notes: [
        `training step, latency (inference of one image), images/s (of inference, ${throughput.batch} at a time): medians of`,
        'steps; the rows took turns.',
        ...(widened.size > 0
          ? [`widened: stored in ${[...widened].join(' or ')}, computed in float32: less memory, not less time.`]
          : []),
      ],
    },
    {
      ...{ title: 'Recognition', ...tableOf([...recognition, front], rows) },
      notes: [
        '95 %: the interval in which the accuracy on all images of this kind lies, with that certainty.',
        'changed: images taken for another class than by the first row of that architecture. best for its',
        'latency, bytes (of the file): no other row costs less and recognizes as much.',
        ...rows.flatMap(({ model, precision, diverged }) =>
          diverged === undefined ? [] : [`${printable(model)} in ${precision} diverged: ${printable(diverged)}`],
        ),
      ],
    },
  ]
  const isMeasured = rows.some(({ accuracy, diverged }) => accuracy !== undefined || diverged !== undefined)
  return [...(isSingle ? [layersSection(rows)] : []), ...(isMeasured ? all : all.slice(0, -1))]
}

/** A column in which no row has anything is left out. */
function tableOf(
  columns: readonly ComparedColumn[],
  rows: readonly ComparedModel[],
): Pick<Section, 'columns' | 'rows'> {
  const filled = columns.filter(({ cell }) => rows.some(row => cell(row) !== ''))
  return { columns: filled, rows: rows.map(row => filled.map(({ cell }) => cell(row))) }
}

/** The layers of one model, in each of its precisions: the type, and the KiB of weights and of the output. */
function layersSection(rows: readonly ComparedModel[]): Section {
  const cells = rows.map(row => layerCells(row))
  return {
    title: 'Layers',
    columns: [
      { title: 'layer', shrinkTo: 8 },
      { title: 'output', align: 'right' },
      { title: 'parameters', align: 'right' },
      ...rows.map(({ precision }): Column => ({ title: precision, align: 'right' })),
    ],
    rows: rows[0].layers.map(({ name, output, parameters }, i) => [
      ...[name, formatShape(output), parameters === 0 ? '' : withCommas(parameters)],
      ...cells.map(column => column[i]),
    ]),
    notes: ["In each precision: the layer's type, KiB of its weights + KiB of its output for one image."],
  }
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

/** For a terminal: tables at most so many letters wide. */
export const formatSections = (sections: readonly Section[], width: number): string =>
  sections
    .map(({ columns, rows, notes }) =>
      [formatTable(columns, rows, width), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n'),
    )
    .join('\n\n')
