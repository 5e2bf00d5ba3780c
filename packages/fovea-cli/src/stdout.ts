/**
 * @file stdout and stderr, and what becomes of a command when they take no more: the reader has left (`| head`), the disk is
 * full. A command that leaves files goes on to its end, one whose output is its result ends there. Neither prints a stack.
 */
import { fstatSync, writeSync } from 'node:fs'
import { diskReason } from './files.js'

/** Nobody can read the command's result any more. What there is to say of it is said: exit code 1. */
export class OutputLostError extends Error {
  override name = 'OutputLostError'
}

export interface Stdout {
  /** @throws OutputLostError where there is nothing left to work for */
  write(text: string): void
}

/**
 * Opens stdout for a command; once in a process.
 * @param leavesFiles whether the command goes on without a reader: it then says so on stderr, and ends with 0 where the
 *   reader has left of itself, with 1 where output is missing that somebody wanted. A command that does not go on ends with
 *   1, and as all programs without a word where the reader has left.
 */
export function openStdout({ leavesFiles }: { readonly leavesFiles: boolean }): Stdout {
  let lost: OutputLostError | undefined
  const lose = (error: unknown): void => {
    if (lost) return
    const hasReaderLeft = (error as NodeJS.ErrnoException).code === 'EPIPE'
    const why = hasReaderLeft ? 'nobody reads the output any more' : `cannot write the output: ${diskReason(error)}`
    lost = new OutputLostError(why)
    if (leavesFiles || !hasReaderLeft) writeStderr(`fovea: ${why}${leavesFiles ? '; going on without it' : ''}\n`)
    if (!leavesFiles || !hasReaderLeft) process.exitCode = 1
  }
  process.stdout.on('error', lose)
  return {
    write(text) {
      try {
        if (!lost) writeAll(text)
      } catch (error) {
        lose(error)
      }
      if (lost && !leavesFiles) throw lost
    },
  }
}

/** Node takes a file to have taken all, when a disk had room for a part. */
function writeAll(text: string): void {
  if (!isFile(process.stdout.fd)) {
    process.stdout.write(text)
    return
  }
  const bytes = Buffer.from(text)
  for (let done = 0; done < bytes.length; ) done += writeSync(process.stdout.fd, bytes, done)
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile()
  } catch {
    return false
  }
}

/** Where stderr takes no more, nothing can be said: the exit code still tells. */
export function writeStderr(text: string): void {
  try {
    process.stderr.write(text)
  } catch {
    // A file of a full disk.
  }
}
