/** @file The `fovea` command: reads the command line, runs one command, turns what went wrong into a line and an exit code. */
import { CommanderError } from 'commander'
import { reportError } from './output.js'
import { createProgram } from './program.js'
import { UsageError } from './usage.js'

// A reader that closes the pipe (`fovea summary … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

try {
  await createProgram().parseAsync(process.argv)
} catch (error) {
  // Commander throws for --help and --version too, with exit code 0 and the text already shown.
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0
  else if (error instanceof CommanderError) process.exitCode = reportError(new UsageError(error.message))
  else process.exitCode = reportError(error)
}
