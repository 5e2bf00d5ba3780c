/** @file `fovea summary`: a model accounted for layer by layer. */
import { statSync } from 'node:fs'
import { Command } from 'commander'
import {
  createModel,
  formatBytes,
  formatShape,
  type Model,
  type ModelSummary,
  type Precision,
  precisions,
  summarize,
} from 'fovea'
import { readModel } from '../checkpoint-file.js'
import { createOutput, withCommas } from '../output.js'
import { formatTable } from '../table.js'
import { imageSize, modelName, precision, UsageError, wholeNumber } from '../usage.js'

interface SummaryOptions {
  readonly classes?: number
  readonly input?: [number, number, number]
  readonly precision: Precision
  readonly json?: true
}

export function summaryCommand(): Command {
  return new Command('summary')
    .description("list a model's layers with their shapes, parameters and cost")
    .argument('<model>', 'resnet20, efficientnet-b0, …, or a model that fovea saved')
    .option('--classes <n>', "number of classes (default: the model's)", wholeNumber('--classes', 2, 100_000))
    .option('--input <HxWxC>', "size of an image (default: the model's)", imageSize)
    .option('--precision <name>', precisions.join(', '), precision(precisions), 'float32')
    .option('--json', 'print JSON')
    .action(run)
}

function run(name: string, options: SummaryOptions): void {
  const output = createOutput(options.json === true)
  const summary = summarize(modelOf(name, options), options.precision)
  output.result(summary)
  output.say(formatSummary(summary, Math.min(process.stdout.columns || 100, 100)))
}

function modelOf(name: string, { classes, input }: SummaryOptions): Model {
  if (statSync(name, { throwIfNoEntry: false }) !== undefined) {
    if (classes !== undefined || input !== undefined) {
      throw new UsageError('--classes and --input are for models by name; a saved model has its own')
    }
    return readModel(name)
  }
  return createModel(modelName(name), {
    ...(classes === undefined ? {} : { classes }),
    ...(input === undefined ? {} : { input }),
  })
}

/** A table of the layers, at most `width` wide, and a line of totals. */
export function formatSummary({ model, parameters, multiplyAdds, bytes, layers }: ModelSummary, width: number): string {
  const number = (value: number): string => (value === 0 ? '' : withCommas(value))
  const right = 'right' as const
  // The same word in every row would cost the names their letters.
  const single = layers.every(({ precision }) => precision === layers[0].precision)
  const columns = [
    { title: 'layer', shrinkTo: 8 },
    { title: 'op', shrinkTo: single ? 11 : 8 },
    { title: 'output', align: right },
    { title: 'parameters', align: right },
    { title: 'mult-adds', align: right },
    ...(single ? [] : [{ title: 'precision' }]),
  ]
  const rows = layers.map(layer => [
    layer.name,
    layer.op,
    formatShape(layer.output),
    number(layer.parameters),
    number(layer.multiplyAdds),
    ...(single ? [] : [layer.precision]),
  ])
  const size = `${formatBytes(bytes.total)}${single ? ` in ${layers[0].precision}` : ''}`
  const totals = `${withCommas(parameters)} parameters (${size}), ${withCommas(multiplyAdds)} multiply-adds an image`
  return `${formatTable(columns, rows, width)}\n\n${model}: ${totals}`
}
