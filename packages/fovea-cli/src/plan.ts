/**
 * @file The plan of a command that works in several steps: what it was asked for and what it has found out, kept in its folder
 * once there is something to go on with. A run that was killed goes on where it was, with `--resume FOLDER`.
 */
import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { FormatError, FoveaError } from 'fovea'
import { z } from 'zod'
import type { EngineOptions } from './engines.js'
import { readWhole, writeFileAtomic } from './files.js'
import { checkNewFiles, entryAt } from './new-files.js'
import { optionOf } from './option-names.js'
import { RunFolder } from './run-folder.js'
import { pathsOf } from './run-record.js'
import { foveaCommand } from './shell.js'
import { UsageError } from './usage.js'

const VERSION = 1

const planSchema = z.object({
  version: z.literal(VERSION),
  /** The words of the command line, each path an absolute one. */
  arguments: z.array(z.string().max(10_000)).max(100),
})

/** @template Found what the command has found out */
export type Plan<Found extends object> = { readonly arguments: readonly string[] } & Found

/** What may be said of work that goes on. */
const resumeOptions = ['--resume', '--engine', '--threads', '--json']

/** The plans of one command. */
export class PlanKind<Found extends object> {
  /**
   * @param command its name: `prune`, kept in `prune.json`
   * @param what its work: `pruning`
   * @param needs options that it cannot be without, beside the file, the data and the folder
   * @param found how what it has found out is read; before it has found anything, `{}` is
   */
  constructor(
    readonly command: string,
    readonly what: string,
    private readonly needs: readonly string[],
    private readonly found: z.ZodType<Found>,
  ) {}

  /** The file that says that a folder is one of this command. */
  file = (folder: RunFolder): string => folder.file(`${this.command}.json`)

  /** What tells a user how to go on. */
  resumedBy = ({ path }: RunFolder): string => foveaCommand(this.command, '--resume', path)

  write = (folder: RunFolder, plan: Plan<Found>): Promise<void> =>
    writeFileAtomic(this.file(folder), `${JSON.stringify({ version: VERSION, ...plan }, null, 2)}\n`)

  /** For work that came to nothing: no folder is left for it. */
  remove = (folder: RunFolder): void => rmSync(this.file(folder), { force: true })

  /** @throws FoveaError if nothing was begun there; FormatError if what says so is damaged */
  read(folder: RunFolder): Plan<Found> {
    const path = this.file(folder)
    if (!existsSync(path)) {
      throw new FoveaError(
        `there is no ${this.what} in '${folder.path}' to go on with; start it: ` +
          foveaCommand(this.command, 'FILE', '--data', 'DATA', ...this.needs, '--out', folder.path),
      )
    }
    const text = readWhole(path, { what: `a plan of ${this.what}`, maxBytes: 16 << 20 }).toString('utf8')
    try {
      const json: unknown = JSON.parse(text)
      return { arguments: planSchema.parse(json).arguments, ...this.found.parse(json) }
    } catch (error) {
      const why = error instanceof z.ZodError ? ` at '${error.issues[0].path.join('.')}'` : ': it is not JSON'
      throw new FormatError(`'${path}' is damaged${why}; start anew in another folder`)
    }
  }

  /**
   * That new work finds room in a folder.
   * @param files all that it may leave there, beside the plan and those of a run
   * @throws FoveaError naming what is there
   */
  checkNew(folder: RunFolder, files: readonly string[]): void {
    if (entryAt(this.file(folder))) {
      const goOn = this.resumedBy(folder)
      throw new FoveaError(`'${folder.path}' holds a ${this.what}: go on with it (${goOn}) or choose another --out`)
    }
    folder.checkNew()
    checkNewFiles([this.file(folder), ...files], '--out')
  }

  /**
   * The work that goes on in a folder, as it was started; only the engine may be another.
   * @param file what was given beside `--resume`
   * @param given the command with the options of now
   * @param fresh the same command, which reads the words of the plan with every check
   * @throws UsageError for options that mean nothing here; what read throws
   */
  goOn<Options extends EngineOptions>(
    path: string,
    { file, given, fresh }: { readonly file: string | undefined; readonly given: Command; readonly fresh: Command },
  ) {
    if (file !== undefined) throw new UsageError('--resume goes on as it was started: leave out FILE')
    refuseOthers(given, resumeOptions, '--resume goes on as it was started')
    const folder = new RunFolder(path)
    const plan = this.read(folder)
    const { operands, unknown } = fresh.exitOverride().parseOptions([...plan.arguments])
    if (unknown.length > 0) {
      const words = unknown.join(' ')
      throw new FormatError(`'${this.file(folder)}' is of another version of Fovea: this one does not know ${words}`)
    }
    const { engine, threads } = given.opts<EngineOptions>()
    const request = { ...fresh.opts<Options>(), ...(engine && { engine }), ...(threads && { threads }) }
    return { folder, plan, file: operands[0], request }
  }
}

/** A file and the options of a command by name, as words of a command line. */
export function argumentsOf(file: string, { data, ...options }: { readonly data: string }): string[] {
  const all = { ...pathsOf({ data }), ...options }
  const words = Object.entries<unknown>(all).flatMap(([name, value]) => {
    const option = optionOf(name)
    if (typeof value === 'boolean') return [value ? option : option.replace('--', '--no-')]
    return value === undefined ? [] : [option, String(value)]
  })
  return [resolve(file), ...words]
}

/** @throws UsageError if options were given that mean nothing here. @param why in words */
export function refuseOthers(command: Command, known: readonly string[], why: string): void {
  const given = command.options.filter(option => command.getOptionValueSource(option.attributeName()) === 'cli')
  const other = given.map(({ long }) => String(long)).filter(name => !known.includes(name))
  if (other.length > 0) throw new UsageError(`${why}: leave out ${other.join(', ')}`)
}
