/** @file `fovea import`: weights from elsewhere, made a model of ours with all that belongs to it. */

import { statSync } from 'node:fs'
import { Command } from 'commander'
import { FormatError, FoveaError, formatBytes, formatShape, type Model, parameterCount } from 'fovea'
import { pretrainedOf, readModelFile, writeCheckpoint } from '../checkpoint-file.js'
import { readWhole } from '../files.js'
import { checkNewFiles } from '../new-files.js'
import { createOutput, withCommas } from '../output.js'
import { commaList, UsageError, wholeNumber } from '../usage.js'
import { modelOption, normalizeOption } from '../weights/options.js'

interface ImportOptions {
  readonly model?: string
  readonly normalize?: string
  readonly labels?: string[]
  readonly size?: number
  readonly out: string
  readonly json?: true
}

export function importCommand(): Command {
  return new Command('import')
    .description('make a model of weights of PyTorch, Keras or safetensors, or of an ONNX file')
    .argument(
      '<file>',
      'weights (.pt, .pth, .bin, .h5, .keras, .safetensors), a folder from Hugging Face, or an ONNX file',
    )
    .addOption(modelOption())
    .addOption(normalizeOption())
    .option(
      '--labels <names>',
      'class names in the order of the outputs: cat,dog, or a text file with a name a line (default: 0, 1, …)',
      labelList,
    )
    .option(
      '--size <n>',
      'height and width of images, for weights alone (default: as the files say, else as the model has it)',
      wholeNumber('--size', 1),
    )
    .requiredOption('--out <file>', 'where the model is kept, as a new file')
    .option('--json', 'print JSON')
    .action(run)
}

const MAX_LABELS_BYTES = 16 << 20

/** Names between commas, or those in a file. */
function labelList(text: string): string[] {
  const isFile = statSync(text, { throwIfNoEntry: false })?.isFile() === true
  const limit = { what: 'a list of classes', maxBytes: MAX_LABELS_BYTES }
  const labels = isFile
    ? readWhole(text, limit)
        .toString('utf8')
        .split(/\r?\n/)
        .map(line => line.trim())
    : commaList(text)
  const names = isFile ? labels.filter(label => label !== '') : labels
  if (names.includes(''))
    throw new UsageError(`--labels takes class names, separated by commas: cat,dog, not '${text}'`)
  if (new Set(names).size < names.length) throw new UsageError(`--labels has the same class twice in '${text}'`)
  return names
}

async function run(path: string, { model: name, normalize, labels, size, out, json }: ImportOptions): Promise<void> {
  const output = createOutput(json === true, { leavesFiles: true })
  checkNewFiles([out], '--out')
  const read = readModelFile(path)
  const { graph, weights } = read.source
  if (graph && weights && labels === undefined && normalize === undefined) {
    throw new FoveaError(`'${read.file}' is a model of Fovea already: every command takes it as it is`)
  }
  if (graph && size !== undefined) {
    throw new UsageError(`--size is for weights alone; '${read.file}' says itself which images its model takes`)
  }
  const input = size !== undefined && { input: [size, size, 3] as const }
  const model = labelled(
    read.file,
    pretrainedOf(read, { model: name, normalize, ...(labels && { labels }), ...input }, output),
    labels,
  )
  if (graph) output.say(`${read.file}: ${graph.format}; ${aboutModel(model)}`)
  await writeCheckpoint(out, { model })
  const [parameters, { size: bytes }] = [parameterCount(model.graph), statSync(out)]
  output.result({ out, parameters, bytes })
  output.say(`${out}: ${model.name}, ${withCommas(parameters)} parameters, ${formatBytes(bytes)}`)
}

const aboutModel = ({ name, labels, preprocessing: { size, mean, deviation } }: Model): string =>
  `${name}, ${labels.length} classes, images of ${formatShape(size)}, mean ${mean.join(', ')}, deviation ${deviation.join(', ')}`

/** An ONNX file need not name its classes. */
function labelled(file: string, model: Model, labels = model.labels): Model {
  if (labels.length === model.labels.length) return { ...model, labels }
  throw new FormatError(`'${file}' tells ${model.labels.length} classes apart, not ${labels.length} (--labels)`)
}
