/**
 * @file Where a command's words go. For people: tables and lines on stdout, progress and warnings on stderr, colours on
 * a terminal only. For programs (`--json`): one JSON object a line on stdout and nothing else there.
 */
import { InvalidArgumentError } from 'fovea'
import { INTERRUPTED, InterruptError } from './interrupt.js'
import { inOptionNames } from './option-names.js'
import { printable, printableJson, printableLines } from './printable.js'
import { OutputLostError, openStdout, writeStderr } from './stdout.js'
import { UsageError } from './usage.js'

export interface Output {
  readonly json: boolean
  /** A result: printed as a line of JSON, with --json only. */
  result(value: object): void
  /** A line of the result in words, whatever it holds: printed without --json only. */
  say(...words: readonly (string | Styled)[]): void
  /** Several lines, such as a table: printed without --json only. No name in them may have a line break. */
  show(lines: string): void
  /** What both should notice, in one line: a warning, a fallback. Always on stderr. */
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
      if (json) write(`${printableJson(value)}\n`)
    },
    say(...words) {
      if (!json) write(`${words.map(word => inStyle(word, process.stdout)).join('')}\n`)
    },
    show(lines) {
      if (!json) write(`${printableLines(lines)}\n`)
    },
    warn(text) {
      writeStderr(`${inStyle(paint('yellow', text), process.stderr)}\n`)
    },
  }
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

/** Words in a style, for a terminal. */
export interface Styled {
  readonly style: keyof typeof codes
  readonly text: string
}

export const paint = (style: Styled['style'], text: string): Styled => ({ style, text })

/** As the stream takes it: in a style only on a terminal that wants one (see no-color.org), and never a control of others. */
function inStyle(word: string | Styled, stream: NodeJS.WriteStream): string {
  if (typeof word === 'string') return printable(word)
  const text = printable(word.text)
  return stream.isTTY && !process.env['NO_COLOR'] ? `\u001b[${codes[word.style]}m${text}\u001b[0m` : text
}

/** One line, and the exit code: 2 for wrong usage, 130 for work that was interrupted, 1 for a task that failed. */
export function reportError(thrown: unknown): number {
  if (thrown instanceof OutputLostError) return 1
  const error = thrown instanceof InvalidArgumentError ? inOptionNames(thrown) : thrown
  const message = error instanceof Error ? error.message : String(error)
  const line = printable(message.trim().replace(/\s*\n\s*/g, ' · '))
  writeStderr(`${inStyle(paint('red', 'fovea:'), process.stderr)} ${line}\n`)
  if (process.env['FOVEA_DEBUG'] && error instanceof Error) writeStderr(`${stackOf(error)}\n`)
  if (error instanceof InterruptError) return INTERRUPTED
  return error instanceof UsageError ? 2 : 1
}

/** Without the message, which has been shown. */
function stackOf({ name, stack = '' }: Error): string {
  const frames = stack.split('\n').filter(line => /^\s+at /.test(line))
  return printableLines([name, ...frames].join('\n'))
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
