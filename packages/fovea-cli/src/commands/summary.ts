/** @file `fovea summary`: a model accounted for layer by layer, and what inference and training hold of it. */

import { Command } from 'commander'
import {
  type BytesByType,
  defaultRecipe,
  formatBytes,
  formatShape,
  isQuantized,
  type ModelSummary,
  type PrecisionOptions,
  resolveSettings,
  summarize,
  type TrainingBytes,
  trainingBytes,
} from 'fovea'
import { aboutNamedModel, namedModel } from '../named-model.js'
import { createOutput, withCommas } from '../output.js'
import { printable } from '../printable.js'
import { settingOption } from '../setting-option.js'
import { formatTable } from '../table.js'
import { inputSize, wholeNumber } from '../usage.js'

interface SummaryOptions extends PrecisionOptions {
  readonly classes?: number
  readonly input?: [number, number, number]
  readonly json?: true
}

export function summaryCommand(): Command {
  return new Command('summary')
    .description("list a model's layers with their shapes, parameters and cost")
    .argument('<model>', aboutNamedModel)
    .option('--classes <n>', "number of classes (default: the model's)", wholeNumber('--classes', 2, 100_000))
    .option('--input <HxWxC>', "size of an image (default: the model's)", inputSize)
    .addOption(settingOption('precision').default('float32'))
    .addOption(settingOption('keepFloat32'))
    .option('--json', 'print JSON')
    .action(run)
}

function run(name: string, options: SummaryOptions): void {
  const output = createOutput(options.json === true)
  const { model } = namedModel(name, options)
  const { precision, keepFloat32 } = options
  const types = { ...(precision && { precision }), ...(keepFloat32 && { keepFloat32 }) }
  const summary = summarize(model, types)
  // What the optimizer holds is the recipe's choice. What is quantized is trained no more.
  const training = isQuantized(model)
    ? undefined
    : trainingBytes(model, resolveSettings(model, Number.POSITIVE_INFINITY, types))
  output.result({ ...summary, ...(training && { trainingBytes: training }) })
  output.show(formatSummary(summary, Math.min(process.stdout.columns || 100, 100)))
  output.show(`\n${formatBytesHeld(summary, training)}`)
}

/** A table of the layers, at most `width` wide, with the bytes of outputs where they fit, and a line of totals. */
export function formatSummary({ model, parameters, multiplyAdds, layers }: ModelSummary, width: number): string {
  const number = (value: number): string => (value === 0 ? '' : withCommas(value))
  const right = 'right' as const
  // The same word in every row would cost the names their letters.
  const single = layers.every(({ precision }) => precision === layers[0].precision)
  // 80 columns are the names of EfficientNet's layers and no more.
  const withBytes = width >= 100
  const columns = [
    { title: 'layer', shrinkTo: 8 },
    { title: 'op', shrinkTo: single ? 11 : 8 },
    { title: 'output', align: right },
    ...(withBytes ? [{ title: 'its bytes', align: right }] : []),
    { title: 'parameters', align: right },
    { title: 'mult-adds', align: right },
    ...(single ? [] : [{ title: 'type' }]),
  ]
  const rows = layers.map(layer => [
    layer.name,
    layer.op,
    formatShape(layer.output),
    ...(withBytes ? [formatBytes(layer.activationBytes)] : []),
    number(layer.parameters),
    number(layer.multiplyAdds),
    ...(single ? [] : [layer.precision]),
  ])
  const totals = `${withCommas(parameters)} parameters, ${withCommas(multiplyAdds)} multiply-adds an image`
  return `${formatTable(columns, rows, width)}\n\n${printable(model)}: ${totals}`
}

/**
 * A table of what is held: the weights as inference computes with them, as training holds them (the float32 masters and
 * 16-bit copies of those that compute in 16 bits), and the activations.
 */
export function formatBytesHeld(summary: Omit<ModelSummary, 'layers'>, training?: TrainingBytes): string {
  const { model, bytes, activationBytes } = summary
  const others = (['bfloat16', 'float16', 'int8', 'int32', 'uint8'] as const).filter(
    type => (activationBytes[type] ?? 0) + (bytes[type] ?? 0) > 0,
  )
  const types = others.length === 0 ? (['float32'] as const) : (['total', 'float32', ...others] as const)
  const account = (float32: number, halves: number) => ({
    total: float32 + halves,
    float32,
    ...{ bfloat16: halves, float16: halves },
  })
  const rows: (readonly [string, Partial<BytesByType>])[] = [
    ['weights, as computed with', bytes],
    ...(training === undefined
      ? []
      : ([
          ['held while training: weights, 16-bit copies', account(training.masters, training.copies)],
          [`held while training: optimizer's slots (recipe ${defaultRecipe(model)})`, account(training.slots, 0)],
        ] as const)),
    ['activations of one image: all outputs above', activationBytes],
  ]
  return formatTable(
    [{ title: 'bytes' }, ...types.map(title => ({ title, align: 'right' as const }))],
    rows.map(([name, account]) => [name, ...types.map(type => (account[type] ? formatBytes(account[type]) : ''))]),
  )
}
