/** @file `fovea export`: a saved model as a file for other programs. */
import { Command } from 'commander'
import {
  type Dataset,
  type NamingName,
  namingNames,
  type OnnxPrecision,
  onnxPrecisions,
  parameterCount,
  take,
} from 'fovea'
import { readModel } from '../checkpoint-file.js'
import { type EngineOptions, openEngine, withEngineOptions } from '../engines.js'
import { generatedImages } from '../export/agreement.js'
import { type FormatName, formatNames, formats } from '../export/formats.js'
import { checkNewFiles } from '../new-files.js'
import { checkFound, findData, imagesFor, loading } from '../open-data.js'
import { createOutput, withCommas } from '../output.js'
import { oneOf, UsageError, wholeNumber } from '../usage.js'

interface ExportOptions extends EngineOptions {
  readonly format: FormatName
  readonly out: string
  readonly precision?: OnnxPrecision
  readonly preprocessing?: true
  readonly names?: NamingName
  readonly data?: string
  readonly images: number
  readonly json?: true
}

export function exportCommand(): Command {
  const about = formatNames.map(name => `  ${name}: ${formats[name].about}`).join('\n')
  return withEngineOptions(new Command('export'))
    .description('write a model as a file for other programs')
    .argument('<file>', 'a model that fovea saved, or the folder of a run')
    .requiredOption('--format <name>', `${formatNames.join(', ')}; see below`, oneOf('--format', formatNames))
    .requiredOption('--out <path>', 'the file or folder to write; replaces none')
    .option(
      '--precision <type>',
      `${onnxPrecisions.join(', ')}: what numbers are (default: what the model's are)`,
      oneOf('--precision', onnxPrecisions),
    )
    .option('--preprocessing', 'pixels go in (uint8, NHWC), probabilities come out')
    .option('--names <library>', `${namingNames.join(', ')}: whose names weights get`, oneOf('--names', namingNames))
    .option('--data <data>', 'images on which the file is checked (default: generated ones)')
    .option('--images <n>', 'how many of them', wholeNumber('--images', 1), 64)
    .option('--json', 'print JSON')
    .addHelpText('after', `\nFormats:\n${about}`)
    .action(run)
}

async function run(file: string, options: ExportOptions): Promise<void> {
  const output = createOutput(options.json === true, { leavesFiles: true })
  const { format: name, out, precision, preprocessing, data, names } = options
  const format = formats[name]
  for (const option of ['precision', 'preprocessing', 'data', 'names'] as const) {
    if (options[option] === undefined || format.takes.includes(option)) continue
    throw new UsageError(`--${option} is not for --format ${name}`)
  }
  checkNewFiles(format.files(out), '--out')
  const model = readModel(file)

  // Also where nothing will be checked on them: a wrong name is wrong.
  const found = data === undefined ? undefined : await findData(data, { purpose: 'measure', ...imagesFor(model) })
  if (found) checkFound(model, found)

  /** Those of the data's test images, or all where it has none. */
  async function images(): Promise<Dataset> {
    if (found === undefined) return generatedImages(model, options.images)
    const { train, test } = await loading(output, load => found.open(load))
    const some = test.length > 0 ? test : train
    return take(some, Math.min(some.length, Math.max(options.images, some.classes.length)))
  }

  const { bytes, said, about } = await format.write({
    ...{ model, file, out, images, output },
    imagesName: found === undefined ? 'generated images' : 'images',
    ...(precision && { precision }),
    ...(preprocessing && { preprocessing }),
    ...(names && { names }),
    engine: () => openEngine(options, output),
  })
  output.result({ out, parameters: parameterCount(model.graph), bytes, ...about })
  output.say(`${out}: ${withCommas(bytes)} bytes${said === undefined ? '' : `, ${said}`}`)
}
