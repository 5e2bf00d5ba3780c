/** @file Starts the compiled `fovea` command in a process of its own, as a user would, and makes small folders of photos. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import sharp from 'sharp'

/** The compiled command in a few files (scripts/bundle-command.mjs), which start sooner than those that users have. */
const command = process.env['FOVEA_TEST_COMMAND'] ?? fileURLToPath(new URL('../bin/fovea.mjs', import.meta.url))

export interface Finished {
  /** The exit code; null when a signal ended it. */
  readonly code: number | null
  /** What ended it, if a signal did. */
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** What `--json` printed, one value a line; empty without it. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  readonly json: any[]
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** The largest file that it may write, as a shell's `ulimit -f` has it. */
  readonly maxFileBytes?: number
  /** Files that take what it prints, instead of us. */
  readonly stdoutTo?: string
  readonly stderrTo?: string
  /** Called with the process as soon as it is started. */
  readonly started?: (child: ChildProcess) => void
  /** Called with the process when a line of stdout or stderr contains `at`. */
  readonly when?: { readonly at: string; readonly act: (child: ChildProcess) => void }
}

/**
 * Runs `fovea …args` to its end.
 * @throws Error if a line of stdout is no JSON where `--json` was asked for
 */
export function fovea(
  args: readonly string[],
  { cwd, env, maxFileBytes, stdoutTo, stderrTo, started, when }: RunOptions = {},
): Promise<Finished> {
  const node = [process.execPath, command, ...args]
  // The unit is 512 bytes.
  const limited = ['sh', '-c', `ulimit -f ${Math.floor((maxFileBytes ?? 0) / 512)}; exec "$@"`, 'sh', ...node]
  const [program, ...words] = maxFileBytes === undefined ? node : limited
  return new Promise((resolve, reject) => {
    const files = [stdoutTo, stderrTo].map(file => (file === undefined ? 'pipe' : openSync(file, 'a')))
    const child: ChildProcess = spawn(program, words, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['pipe', ...files],
    })
    for (const file of files) if (typeof file === 'number') closeSync(file)
    started?.(child)
    let stdout = ''
    let stderr = ''
    let acted = false
    const look = (): void => {
      if (when === undefined || acted || !(stdout + stderr).includes(when.at)) return
      acted = true
      when.act(child)
    }
    child.stdout?.on('data', chunk => {
      stdout += chunk
      look()
    })
    child.stderr?.on('data', chunk => {
      stderr += chunk
      look()
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      try {
        resolve({ code, signal, stdout, stderr, json: args.includes('--json') ? parseLines(stdout) : [] })
      } catch (error) {
        reject(error)
      }
    })
  })
}

const parseLines = (stdout: string): unknown[] =>
  stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      try {
        return JSON.parse(line)
      } catch {
        throw new Error(`--json printed a line that is no JSON: ${line}`)
      }
    })

/**
 * Runs what a message tells to type, as who pastes it into a shell. `npx fovea` is this checkout's.
 * @throws Error with what it said, if it fails
 */
export function paste(line: string, { cwd, env }: Pick<RunOptions, 'cwd' | 'env'> = {}): string {
  const folder = temporaryFolder()
  const npx = join(folder, 'npx')
  writeFileSync(npx, `#!/bin/sh\nshift\nexec '${process.execPath}' '${command}' "$@"\n`, { mode: 0o755 })
  const PATH = `${folder}:${process.env['PATH']}`
  return execFileSync('bash', ['-c', line], {
    cwd,
    env: { ...process.env, ...env, PATH },
    encoding: 'utf8',
    stdio: 'pipe',
  })
}

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'fovea-test-'))

/** The environment in which Node runs some code first, as a module, in the process and in its workers. */
export function preload(code: string): Record<string, string> {
  const file = join(temporaryFolder(), 'first.mjs')
  writeFileSync(file, code)
  return { NODE_OPTIONS: `--import=${pathToFileURL(file)}` }
}

/**
 * A folder of photos in which a class is a colour: `train/CLASS/*.png` and `val/CLASS/*.png`, of 24×24 pixels.
 * `first`: the number of the first photo; each number is another one.
 * @returns its path
 */
export async function colorFolder(
  { train = 24, val = 8, first = 0 } = {},
  folder = temporaryFolder(),
): Promise<string> {
  const classes = { blue: [30, 60, 200], green: [40, 180, 50], red: [210, 40, 30] }
  for (const [split, count] of Object.entries({ train, val })) {
    for (const [name, [r, g, b]] of Object.entries(classes)) {
      mkdirSync(join(folder, split, name), { recursive: true })
      for (let i = first; i < first + count; i++) {
        const shade = 0.7 + (0.6 * ((i * 7) % 11)) / 11
        const pixels = Uint8Array.from({ length: 24 * 24 * 3 }, (_, at) => {
          const noise = ((at * 2654435761 + i * 40503) >>> 24) % 40
          return Math.min(255, [r, g, b][at % 3] * shade + noise)
        })
        const raw = { width: 24, height: 24, channels: 3 as const }
        await sharp(pixels, { raw })
          .png()
          .toFile(join(folder, split, name, `${i}.png`))
      }
    }
  }
  return folder
}
