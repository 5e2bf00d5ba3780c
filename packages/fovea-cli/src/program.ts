/** @file The list of commands, and what they share: help, exit codes, names that are offered for misspelt ones. */
import { Command } from 'commander'
import { benchCommand } from './commands/bench.js'
import { compareCommand } from './commands/compare.js'
import { compressCommand } from './commands/compress.js'
import { dataCommand } from './commands/data.js'
import { demoCommand } from './commands/demo.js'
import { evalCommand } from './commands/eval.js'
import { exportCommand } from './commands/export.js'
import { findRateCommand } from './commands/find-rate.js'
import { importCommand } from './commands/import.js'
import { parityCommand } from './commands/parity.js'
import { predictCommand } from './commands/predict.js'
import { pruneCommand } from './commands/prune.js'
import { quantizeCommand } from './commands/quantize.js'
import { serveCommand } from './commands/serve.js'
import { setupCommand } from './commands/setup.js'
import { summaryCommand } from './commands/summary.js'
import { trainCommand } from './commands/train.js'
import { foveaVersion } from './machine.js'
import { openStdout, type Stdout, writeStderr } from './stdout.js'
import { isHub } from './weights/hub-name.js'

const commands = [
  trainCommand,
  findRateCommand,
  evalCommand,
  predictCommand,
  summaryCommand,
  compareCommand,
  pruneCommand,
  quantizeCommand,
  compressCommand,
  exportCommand,
  serveCommand,
  importCommand,
  benchCommand,
  parityCommand,
  dataCommand,
  demoCommand,
  setupCommand,
]

/** What holds for every command; docs/command-line.md has more of it. */
const aboutAll = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
When output can no longer be written (| head, a full disk), a command that writes files continues without it; others stop.
FOVEA_DEBUG=1 shows the stack of an error; FOVEA_DATA is the folder for downloads and decoded images.`

/** @returns the program; parsing throws CommanderError or what the command throws, and never ends the process. */
export function createProgram(): Command {
  const program = new Command('fovea')
    .description('Trains and uses convolutional image classifiers.')
    .version(foveaVersion())
    .addHelpText('after', aboutAll)
  for (const command of commands) program.addCommand(command())
  program.hook('preAction', async (_, command) => {
    const given = [...command.args, ...Object.values(command.opts<Record<string, unknown>>())]
    if (!given.some(isHub)) return
    const { fetchHubModels } = await import('./weights/hub-arguments.js')
    await fetchHubModels(command)
  })
  // What asks for help or the version does nothing else.
  let stdout: Stdout | undefined
  configureOutput(program, text => {
    stdout ??= openStdout({ leavesFiles: false })
    stdout.write(text)
  })
  return program
}

/** Errors are thrown, to be shown by main.ts as one line; commander would print them itself and exit with 1. */
function configureOutput(command: Command, writeOut: (text: string) => void): void {
  command
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: writeStderr, writeOut })
    .showHelpAfterError(false)
  for (const child of command.commands) configureOutput(child, writeOut)
}
