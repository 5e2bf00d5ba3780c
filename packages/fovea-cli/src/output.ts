/**
 * @file Where a command's words go. For people: tables and lines on stdout, progress and warnings on stderr, colours on
 * a terminal only. For programs (`--json`): one JSON object a line on stdout and nothing else there.
 */
import { InvalidArgumentError } from 'fovea'
import { INTERRUPTED, InterruptError } from './interrupt.js'
import { inOptionNames } from './option-names.js'
import { OutputLostError, openStdout, writeStderr } from './stdout.js'
import { UsageError } from './usage.js'

export interface Output {
  readonly json: boolean
  /** A result: printed as a line of JSON, with --json only. */
  result(value: object): void
  /** A result in words: printed without --json only. */
  say(text: string): void
  /** What both should notice: a warning, a fallback. Always on stderr. */
  warn(text: string): void
}

export interface OutputOptions {
  /** Whether the command's result is files, so that it does its work though nobody can read of it. Default: no. */
  readonly leavesFiles?: boolean
}

/** Once in a process. */
export function createOutput(json: boolean, { leavesFiles = false }: OutputOptions = {}): Output {
  const { write } = openStdout({ leavesFiles })
  return {
    json,
    result(value) {
      if (json) write(`${JSON.stringify(value)}\n`)
    },
    say(text) {
      if (!json) write(`${text}\n`)
    },
    warn(text) {
      writeStderr(`${paint('yellow', text, process.stderr)}\n`)
    },
  }
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

/** The text in a colour where the stream is a terminal that wants one (see no-color.org). */
export function paint(style: keyof typeof codes, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return stream.isTTY && !process.env['NO_COLOR'] ? `\u001b[${codes[style]}m${text}\u001b[0m` : text
}

/** One line, and the exit code: 2 for wrong usage, 130 for work that was interrupted, 1 for a task that failed. */
export function reportError(thrown: unknown): number {
  if (thrown instanceof OutputLostError) return 1
  const error = thrown instanceof InvalidArgumentError ? inOptionNames(thrown) : thrown
  const message = error instanceof Error ? error.message : String(error)
  writeStderr(`${paint('red', 'fovea:', process.stderr)} ${message.trim().replace(/\s*\n\s*/g, ' · ')}\n`)
  if (process.env['FOVEA_DEBUG'] && error instanceof Error) writeStderr(`${error.stack}\n`)
  if (error instanceof InterruptError) return INTERRUPTED
  return error instanceof UsageError ? 2 : 1
}

/** 1234567 as 1,234,567. */
export const withCommas = (value: number): string => value.toLocaleString('en-US')

/** 0.8642 as 86.4 %. */
export const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`

/** 75 as 1:15. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const tail = `${String(minutes).padStart(hours > 0 ? 2 : 1, '0')}:${String(whole % 60).padStart(2, '0')}`
  return hours > 0 ? `${hours}:${tail}` : tail
}
