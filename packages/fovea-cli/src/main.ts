/** @file The `fovea` command: reads the command line, runs one command, turns what went wrong into a line and an exit code. */
import { CommanderError } from 'commander'
import { reportError } from './output.js'
import { createProgram } from './program.js'
import { UsageError } from './usage.js'

// A reader that closes the pipe (`fovea summary … | head`) is no error; nor is a terminal that is gone (EIO): a run that
// was told so by SIGHUP still has to save.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' && stream === process.stdout) process.exit(0)
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  })
}

try {
  await createProgram().parseAsync(process.argv)
} catch (error) {
  process.exitCode = error instanceof CommanderError ? reportCommander(error) : reportError(error)
}

/** Commander throws for --help and --version too, and for a command that is missing: their text is shown already. */
function reportCommander({ code, exitCode, message }: CommanderError): number {
  if (exitCode === 0) return 0
  return code === 'commander.help' ? 2 : reportError(new UsageError(message.replace(/^error: /, '')))
}
