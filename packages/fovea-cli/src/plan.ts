/**
 * @file The plan of a command that works in several steps: what it was asked for and what it has found out, kept in its folder
 * once there is something to go on with. A run that was killed goes on where it was, with `--resume FOLDER`.
 */
import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { FormatError, FoveaError } from 'fovea'
import { z } from 'zod'
import { accountFiles } from './account/write.js'
import { readModel } from './checkpoint-file.js'
import { type EngineOptions, engineOptionNames, resumedEngine } from './engines.js'
import { readWhole, writeFileAtomic } from './files.js'
import { checkNewFiles, entryAt } from './new-files.js'
import { optionOf } from './option-names.js'
import { createOutput, type Output } from './output.js'
import { freeRunFolder, RunFolder } from './run-folder.js'
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

/** Work with a plan, and where it is done. */
export interface PlannedWork<Found extends object> {
  /** It is taken. */
  readonly folder: RunFolder
  /** Of work that goes on; else it is `arguments` alone, and nothing is there yet. */
  readonly plan: Plan<Found>
  readonly output: Output
}

/** Options of every command with a plan. */
export interface PlanOptions extends EngineOptions {
  readonly data?: string
  readonly out?: string
  readonly resume?: string
  readonly json?: true
}

/** All options but those that say where and how it is told. */
type Asked<Options extends PlanOptions> = Omit<Options, 'out' | 'resume' | 'json'> & { readonly data: string }

/** What one command does of its own. @template Request what it is asked for */
export interface PlannedCommand<Options extends PlanOptions, Request, Found extends object> {
  /** The command as commander has it: with the options of now, and as new, to read the words of a plan with every check. */
  readonly given: Command
  readonly fresh: () => Command
  /** What is after the model's name in that of a folder which `--out` does not name: `pruned`. */
  readonly suffix: string
  /** All files that it may leave, beside the plan and those of a run. */
  readonly files: (folder: RunFolder) => readonly string[]
  /** @throws UsageError for options that are missing or do not go together */
  readonly requestOf: (asked: Asked<Options>) => Request
  readonly work: (file: string, request: Request, planned: PlannedWork<Found>) => Promise<void>
}

/** What may be said of work that goes on. */
const resumeOptions = ['--resume', ...engineOptionNames, '--json']

/** The plans of one command. */
export class PlanKind<Found extends object> {
  readonly #needs: readonly string[]
  readonly #found: z.ZodType<Found>

  /**
   * @param command its name: `prune`, kept in `prune.json`
   * @param what its work: `pruning`
   * @param needs options that it cannot be without, beside the file, the data and the folder
   * @param found how what it has found out is read; before it has found anything, `{}` is
   */
  constructor(
    readonly command: string,
    readonly what: string,
    needs: readonly string[],
    found: z.ZodType<Found>,
  ) {
    this.#needs = needs
    this.#found = found
  }

  /** The file that says that a folder is one of this command. */
  file = (folder: RunFolder): string => folder.file(`${this.command}.json`)

  /** What tells a user how to go on. */
  resumedBy = ({ path }: RunFolder): string => foveaCommand(this.command, '--resume', path)

  write = (folder: RunFolder, plan: Plan<Found>): Promise<void> =>
    writeFileAtomic(this.file(folder), `${JSON.stringify({ version: VERSION, ...plan }, null, 2)}\n`)

  /** For work that came to nothing: no folder is left for it. */
  remove(folder: RunFolder): void {
    rmSync(this.file(folder), { force: true })
    folder.forget()
  }

  /** @throws FoveaError if nothing was begun there; FormatError if what says so is damaged */
  #read(folder: RunFolder): Plan<Found> {
    const path = this.file(folder)
    if (!existsSync(path)) {
      throw new FoveaError(
        `there is no ${this.what} in '${folder.path}' to go on with; start it: ` +
          foveaCommand(this.command, 'FILE', '--data', 'DATA', ...this.#needs, '--out', folder.path),
      )
    }
    const text = readWhole(path, { what: `a plan of ${this.what}`, maxBytes: 16 << 20 }).toString('utf8')
    try {
      const json: unknown = JSON.parse(text)
      return { arguments: planSchema.parse(json).arguments, ...this.#found.parse(json) }
    } catch (error) {
      const why = error instanceof z.ZodError ? ` at '${error.issues[0].path.join('.')}'` : ': it is not JSON'
      throw new FormatError(`'${path}' is damaged${why}; start anew in another folder`)
    }
  }

  /** What is asked for, with what it cannot be without. @throws UsageError naming what is missing */
  asked<Options extends PlanOptions>(file: string | undefined, { out: _, resume: __, json: ___, ...options }: Options) {
    if (file === undefined) {
      const example = foveaCommand(this.command, 'runs/photos', '--data', 'photos', ...this.#needs)
      throw new UsageError(`which model? For example: ${example}`)
    }
    const { data } = options
    if (data === undefined)
      throw new UsageError('--data is missing: cifar10, fashion-mnist, a folder of images or a packed file')
    return { file, asked: { ...options, data } }
  }

  /**
   * The command: its work in a new folder, or, with `--resume`, in the one where it was begun.
   * @throws UsageError; FoveaError for a folder that has no room for new work, or where all is done; what the work throws
   */
  async run<Options extends PlanOptions, Request extends { readonly data: string }>(
    file: string | undefined,
    options: Options,
    { given, fresh, suffix, files, requestOf, work }: PlannedCommand<Options, Request, Found>,
  ): Promise<void> {
    const output = createOutput(options.json === true, { leavesFiles: true })
    const { resume } = options
    if (resume !== undefined) {
      const { folder, plan, ...was } = this.#goOn<Asked<Options>>(resume, { file, given, fresh: fresh() })
      const request = requestOf(was.request)
      await folder.whileTaken(() => {
        if (existsSync(folder.file(accountFiles[0]))) {
          throw new FoveaError(`'${folder.path}' is done: its account is in '${folder.file('account.html')}'`)
        }
        return work(was.file, request, { folder, plan, output })
      })
      return
    }
    const { asked, file: original } = this.asked(file, options)
    const request = requestOf(asked)
    // The work reads it again, and says what there is to say.
    const { name } = readModel(original, () => {})
    const folder = new RunFolder(options.out ?? freeRunFolder(`${name}-${suffix}`))
    await folder.whileTaken(async () => {
      this.#checkNew(folder, files(folder))
      const plan = { arguments: argumentsOf(original, request), ...this.#found.parse({}) }
      await work(original, request, { folder, plan, output })
    })
  }

  /**
   * That new work finds room in a folder.
   * @param files all that it may leave there, beside the plan and those of a run
   * @throws FoveaError naming what is there
   */
  #checkNew(folder: RunFolder, files: readonly string[]): void {
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
  #goOn<Options extends object>(
    path: string,
    { file, given, fresh }: { readonly file: string | undefined; readonly given: Command; readonly fresh: Command },
  ) {
    if (file !== undefined) throw new UsageError('--resume goes on as it was started: leave out FILE')
    refuseOthers(given, resumeOptions, '--resume goes on as it was started')
    const folder = new RunFolder(path)
    const plan = this.#read(folder)
    const { operands, unknown } = fresh.exitOverride().parseOptions([...plan.arguments])
    if (unknown.length > 0) {
      const words = unknown.join(' ')
      throw new FormatError(`'${this.file(folder)}' is of another version of Fovea: this one does not know ${words}`)
    }
    const request = { ...fresh.opts<Options>(), ...resumedEngine(fresh.opts(), given.opts()) }
    return { folder, plan, file: operands[0], request }
  }
}

/** A file and the options of a command by name, as words of a command line. */
function argumentsOf(file: string, { data, ...options }: { readonly data: string }): string[] {
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
