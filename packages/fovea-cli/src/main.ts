/** @file The `fovea` command: reads the command line, runs one command, turns what went wrong into a line and an exit code. */
import { CommanderError } from 'commander'
import { reportError } from './output.js'
import { createProgram } from './program.js'
import { UsageError } from './usage.js'

// What cannot be said there cannot be said: a terminal may be gone, and a run that was told so by SIGHUP still has to save.
process.stderr.on('error', () => {})

// Not awaited here: what waits while it is loaded cannot be loaded by `require`.
void main()

async function main(): Promise<void> {
  try {
    const program = await createProgram(process.argv[2])
    await program.parseAsync(process.argv)
  } catch (error) {
    const code = error instanceof CommanderError ? reportCommander(error) : reportError(error)
    // Help that nobody could read has its code already.
    if (code !== 0) process.exitCode = code
  }
}

/** Commander throws for --help and --version too, and for a command that is missing: their text is shown already. */
function reportCommander({ code, exitCode, message }: CommanderError): number {
  if (exitCode === 0) return 0
  return code === 'commander.help' ? 2 : reportError(new UsageError(message.replace(/^error: /, '')))
}
