/** @file What is told of a model, and how it is written: an account has a line for each, a comparison a column. */
import { formatBytes } from 'fovea'
import type { ComparedModel } from '../compare/rows.js'
import { percent, withCommas } from '../output.js'
import { parametersByType } from './parameters.js'

/** A row of which layers do not matter. */
export type Row = Omit<ComparedModel, 'layers'>

/** What it is called, and its value in words: none where a model has it not. */
export interface Quantity {
  readonly name: string
  /** Over a column. Default: the name. */
  readonly title?: string
  readonly cell: (row: Row) => string
  /** Two models' are compared by their ratio, or by their difference in points. */
  readonly ratio?: (row: Row) => number
  readonly points?: (row: Row) => number
}

export const milliseconds = (ms: number): string => `${ms < 100 ? ms.toPrecision(3) : Math.round(ms)} ms`

const optional = <T>(value: T | undefined, format: (value: T) => string): string =>
  value === undefined ? '' : format(value)

const counted = (name: string, count: (row: Row) => number): Quantity => ({
  ...{ name, cell: row => withCommas(count(row)), ratio: count },
})

const bytes = (name: string, count: (row: Row) => number): Quantity => ({
  ...{ name, cell: row => formatBytes(count(row)), ratio: count },
})

/** Whose ratio would tell nothing: most models have none before or after. */
const alone = ({ ratio: _, ...quantity }: Quantity): Quantity => quantity

export const quantities = {
  parameters: counted('parameters', row => row.parameters),
  kept: counted('  kept', row => row.kept),
  removed: alone(counted('  removed', row => row.removed)),
  folded: alone(counted('    of them norms, folded into layers', row => row.folded)),
  asFloats: alone(counted('  as floats', row => parametersByType(row.bytes).float)),
  asIntegers: alone(counted('  as integers', row => parametersByType(row.bytes).integer)),
  float32: { ...bytes('weights in float32', row => row.bytes.float32), title: 'float32' },
  sixteenBits: {
    ...alone(bytes('weights in 16 bits', row => row.bytes.bfloat16 + row.bytes.float16)),
    title: '+ 16-bit',
  },
  integers: {
    ...alone(bytes('weights in integers', row => row.bytes.int8 + (row.bytes.int32 ?? 0))),
    title: '+ integers',
  },
  file: { name: 'file', cell: row => optional(row.fileBytes, formatBytes), ratio: row => row.fileBytes ?? 0 },
  multiplyAdds: { ...counted('multiply-adds', row => row.multiplyAdds), title: 'mult-adds' },
  training: { name: 'training', cell: row => optional(row.trainingBytes?.total, formatBytes) },
  activations: bytes('activations', row => row.activationBytes.total),
  atOnce: { ...bytes('activations at once', row => row.peakActivationBytes), title: 'at once' },
  trainingStep: { name: 'training step', cell: row => optional(row.stepMs, milliseconds) },
  latency: {
    ...{ name: 'latency of one image', title: 'latency' },
    ...{ cell: row => milliseconds(row.latencyMs), ratio: row => row.latencyMs },
  },
  throughput: {
    ...{ name: 'images a second', title: 'images/s', ratio: row => row.throughput.imagesPerSecond },
    cell: ({ throughput }) => withCommas(Math.round(throughput.imagesPerSecond)),
  },
  accuracy: { name: 'accuracy', cell: row => optional(row.accuracy, percent), points: row => row.accuracy ?? 0 },
  interval: {
    ...{ name: '  95 % interval', title: '95 %' },
    cell: row => optional(row.accuracyInterval, ([low, high]) => `${(100 * low).toFixed(1)}–${percent(high)}`),
  },
  calibrationError: {
    ...{ name: 'calibration error', points: row => row.calibrationError ?? 0 },
    cell: row => optional(row.calibrationError, percent),
  },
  changed: {
    ...{ name: 'predictions changed', title: 'changed' },
    cell: row => optional(row.changedPredictions, count => `${withCommas(count)} of ${withCommas(row.images ?? 0)}`),
  },
  skippedSteps: { name: 'skipped steps', cell: row => optional(row.skippedSteps, withCommas) },
} satisfies Readonly<Record<string, Quantity>>
