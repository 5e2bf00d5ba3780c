/** @file `fovea quantize`: a saved model in fewer bits, beside what it was. */
import { Command } from 'commander'
import { rangeMethods, weightTypes } from 'fovea'
import { accountFiles } from '../account/write.js'
import { readModel } from '../checkpoint-file.js'
import { withEngineOptions } from '../engines.js'
import { checkNewFiles } from '../new-files.js'
import { createOutput } from '../output.js'
import { checkMethod, type Method, methods } from '../quantize/methods.js'
import { type QuantizeRequest, runQuantization } from '../quantize/run.js'
import { freeRunFolder, RunFolder } from '../run-folder.js'
import { numberOf, oneOf, patternList, wholeNumber } from '../usage.js'

interface QuantizeOptions extends QuantizeRequest {
  readonly out?: string
  readonly json?: true
}

const methodNames = Object.keys(methods) as Method[]

export function quantizeCommand(): Command {
  const aboutMethods = methodNames.map(name => `  ${name}: ${methods[name]}`).join('\n')
  return withEngineOptions(new Command('quantize'))
    .description('store a model in fewer bits: as integers, or in 16 bits')
    .argument('<file>', 'a model that fovea saved, or the folder of a run')
    .requiredOption('--data <data>', 'cifar10, fashion-mnist, a folder of images or a packed file')
    .option('--method <name>', `${methodNames.join(' or ')}; see below`, oneOf('--method', methodNames), 'ptq')
    .option('--images <n>', 'training images that show the ranges of activations', wholeNumber('--images', 1), 512)
    .option(
      '--ranges <by>',
      `how the range of an activation is chosen: ${rangeMethods.join(', ')} (default: mse)`,
      oneOf('--ranges', rangeMethods),
    )
    .option(
      '--weight-bits <n>',
      '8, or 7, which is faster on processors without VNNI (default: 8)',
      wholeNumber('--weight-bits', 7, 8),
    )
    .option(
      '--max-loss <points>',
      'the most points of accuracy to lose; where more would be lost, the layers that cost most stay float32',
      numberOf('--max-loss', false, { from: 0, to: 100 }),
    )
    .option(
      '--type <type>',
      `the type of the weights, with --method weights: ${weightTypes.join(', ')} (default: int8)`,
      oneOf('--type', weightTypes),
    )
    .option(
      '--keep-float32 <patterns>',
      'layers that stay float32, such as conv1,layer1.*,fc (with --method weights: parameters)',
      patternList('--keep-float32', 'patterns over names'),
    )
    .option('--skip-bad', 'leave out images that cannot be read')
    .option(
      '--out <folder>',
      'where the results are kept; replaces no file (default: runs/MODEL-quantized, or runs/MODEL-quantized-2, …)',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', `\nMethods:\n${aboutMethods}`)
    .action(run)
}

async function run(file: string, { out, json, ...request }: QuantizeOptions): Promise<void> {
  const output = createOutput(json === true, { leavesFiles: true })
  checkMethod(request)
  const folder = new RunFolder(out ?? freeRunFolder(`${readModel(file).name}-quantized`))
  await folder.whileTaken(async () => {
    folder.checkNew()
    checkNewFiles(
      accountFiles.map(name => folder.file(name)),
      '--out',
    )
    await runQuantization(file, request, { folder, output })
  })
}
