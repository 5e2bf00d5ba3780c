/** @file `fovea parity`: how far a model on an engine is from results that another framework gave in float64. */
import { Command } from 'commander'
import { FormatError, FoveaError, measureParity, type ParityFile, parseParityFile } from 'fovea'
import { type EngineOptions, openEngine, withEngineOptions } from '../engines.js'
import { type FileLimit, readWhole } from '../files.js'
import { createOutput, withCommas } from '../output.js'
import { formatTable } from '../table.js'
import { precision } from '../usage.js'

interface ParityOptions extends EngineOptions {
  readonly precision: 'float32' | 'float64'
  readonly json?: true
}

export function parityCommand(): Command {
  return withEngineOptions(new Command('parity'))
    .description('compare a model with reference results of another framework')
    .argument('<file>', 'a reference file (JSON)')
    .option(
      '--precision <name>',
      'float32, or float64 on the reference engine',
      precision(['float32', 'float64']),
      'float32',
    )
    .option('--json', 'print JSON')
    .action(run)
}

async function run(path: string, options: ParityOptions): Promise<void> {
  const output = createOutput(options.json === true)
  const file = readParityFile(path)
  const engine = openEngine(options, output, options.precision)
  const report = await measureParity(file, engine)
  const { model, parameters, maxLogitError } = report
  // A file without a training part says nothing of these; a program finds the same keys for every file.
  const { maxGradientError = null, lossError = null, maxRunningError = null } = report
  output.result({ model, parameters, maxLogitError, maxGradientError, lossError, maxRunningError })
  output.say(`${model} on ${engine.description}: ${withCommas(parameters)} parameters`)
  const errors = { maxLogitError, maxGradientError, lossError, maxRunningError }
  const rows = Object.entries(errors).flatMap(([name, error]) =>
    error === null ? [] : [[name, error.toExponential(2), report.float32[name]?.toExponential(2) ?? '']],
  )
  const columns = [
    { title: 'relative error' },
    { title: 'here', align: 'right' as const },
    { title: "PyTorch's float32", align: 'right' as const },
  ]
  output.show(formatTable(columns, rows))
  if (parameters !== report.expectedParameters) {
    throw new FoveaError(
      `${model} has ${withCommas(parameters)} parameters, the file's has ${withCommas(report.expectedParameters)}`,
    )
  }
}

/** Those of the largest models have 30 kB. */
const LIMIT: FileLimit = { what: 'a parity file', maxBytes: 64 << 20 }

/** @throws FormatError or FoveaError naming the file */
function readParityFile(path: string): ParityFile {
  const content = readWhole(path, LIMIT).toString('utf8')
  try {
    return parseParityFile(JSON.parse(content))
  } catch (error) {
    throw new FormatError(`'${path}' is not a parity file: ${error instanceof Error ? error.message : error}`)
  }
}
