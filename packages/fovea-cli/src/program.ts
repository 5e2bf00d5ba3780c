/** @file The list of commands, and what they share: help, exit codes, names that are offered for misspelt ones. */
import { Command } from 'commander'
import { foveaVersion } from './machine.js'
import { openStdout, type Stdout, writeStderr } from './stdout.js'
import { isHub } from './weights/hub-name.js'

/** Each is loaded when it is asked for, so that none waits for what only others need. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  train: async () => (await import('./commands/train.js')).trainCommand(),
  'find-rate': async () => (await import('./commands/find-rate.js')).findRateCommand(),
  eval: async () => (await import('./commands/eval.js')).evalCommand(),
  predict: async () => (await import('./commands/predict.js')).predictCommand(),
  summary: async () => (await import('./commands/summary.js')).summaryCommand(),
  compare: async () => (await import('./commands/compare.js')).compareCommand(),
  prune: async () => (await import('./commands/prune.js')).pruneCommand(),
  quantize: async () => (await import('./commands/quantize.js')).quantizeCommand(),
  compress: async () => (await import('./commands/compress.js')).compressCommand(),
  export: async () => (await import('./commands/export.js')).exportCommand(),
  serve: async () => (await import('./commands/serve.js')).serveCommand(),
  import: async () => (await import('./commands/import.js')).importCommand(),
  bench: async () => (await import('./commands/bench.js')).benchCommand(),
  parity: async () => (await import('./commands/parity.js')).parityCommand(),
  data: async () => (await import('./commands/data.js')).dataCommand(),
  demo: async () => (await import('./commands/demo.js')).demoCommand(),
  setup: async () => (await import('./commands/setup.js')).setupCommand(),
}

/** What holds for every command; docs/command-line.md has more of it. */
const aboutAll = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
When output can no longer be written (| head, a full disk), a command that writes files continues without it; others stop.
FOVEA_DEBUG=1 shows the stack of an error; FOVEA_DATA is the folder for downloads and decoded images.`

/**
 * @param verb the first word of a command line. If it is a command's name, the program has this command alone. Default: all
 * @returns the program; parsing throws CommanderError or what the command throws, and never ends the process.
 */
export async function createProgram(verb?: string): Promise<Command> {
  const program = new Command('fovea')
    .description('Trains and uses convolutional image classifiers.')
    .version(foveaVersion())
    .addHelpText('after', aboutAll)
  const verbs = verb !== undefined && Object.hasOwn(commands, verb) ? [verb] : Object.keys(commands)
  for (const command of await Promise.all(verbs.map(name => commands[name]()))) program.addCommand(command)
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
