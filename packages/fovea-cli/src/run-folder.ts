/** @file The folder of a run: which files it has, and what it says of the run so that it can go on. */
import { copyFileSync, existsSync, linkSync, readdirSync, realpathSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { FormatError, FoveaError } from 'fovea'
import { z } from 'zod'
import { epochFile, isEpochFile, isRunModel, runFiles } from './checkpoint-file.js'
import { diskError, readWhole, writeFileAtomic } from './files.js'
import { lockFolder } from './lock.js'
import { checkNewFiles, freeName } from './new-files.js'
import { runReportFiles } from './reports/run-report.js'
import { parseRecord, type RunRecord } from './run-record.js'
import { foveaCommand } from './shell.js'
import { localPath } from './weights/hub-cache.js'

const whole = z.int().min(1)

/** One line an epoch: what `fovea train --json` prints of it. */
const epochSchema = z.object({
  event: z.literal('epoch'),
  epoch: whole,
  loss: z.number(),
  accuracy: z.number(),
  validationLoss: z.number(),
  validationAccuracy: z.number(),
  imagesPerSecond: z.number(),
  seconds: z.number(),
  /** In float16. */
  lossScale: z.object({ scale: z.number(), skippedSteps: z.int().min(0) }).optional(),
})
export type EpochLine = z.infer<typeof epochSchema>

/** @throws ZodError for what is no line of the log */
export const epochLine = (value: unknown): EpochLine => epochSchema.parse(value)

const METRICS = 'metrics.jsonl'

/** What tells a user how to go on with a run. */
export const resumeCommand = ({ path }: RunFolder): string => foveaCommand('train', '--resume', path)

export class RunFolder {
  #isTaken = false
  #isNew = false

  constructor(readonly path: string) {}

  file(name: string): string {
    return join(this.path, name)
  }

  get last(): string {
    return this.file(runFiles.last)
  }

  get model(): string {
    return this.file(runFiles.model)
  }

  get best(): string {
    return this.file(runFiles.best)
  }

  /** Keeps the last checkpoint as that of an epoch, and of those only the newest `count`. Names are linked, not copied. */
  keepEpoch(epoch: number, count: number): void {
    try {
      const path = this.file(epochFile(epoch))
      rmSync(path, { force: true })
      try {
        linkSync(this.last, path)
      } catch {
        copyFileSync(this.last, path) // a file system without links
      }
      const kept = new Set(Array.from({ length: count }, (_, i) => epochFile(epoch - i)))
      for (const name of this.#epochs()) if (!kept.has(name)) rmSync(this.file(name))
    } catch (error) {
      throw diskError(error, this.path, 'write')
    }
  }

  /**
   * That a new run finds room here: no run that has saved something, and no files of other people that it would replace.
   * @throws FoveaError naming what is there
   */
  checkNew(): void {
    const record = this.ownRecord()
    if (record && this.hasRun) {
      throw new FoveaError(`'${this.path}' holds a run: go on with it (${resumeCommand(this)}) or choose another --out`)
    }
    const begun = record ? ['run.json', METRICS, runFiles.best, runFiles.trainedImages] : []
    const files = ['run.json', METRICS, ...Object.values(runFiles), ...runReportFiles, ...this.#epochs()]
    checkNewFiles(
      files.filter(name => !begun.includes(name)).map(name => this.file(name)),
      '--out',
    )
  }

  /** The record of the run that began here; undefined where there is none, or a file of another kind. */
  ownRecord(): RunRecord | undefined {
    try {
      return this.hasBegun ? this.readRecord() : undefined
    } catch (error) {
      if (error instanceof FormatError) return undefined
      throw error
    }
  }

  /** The checkpoints that keepEpoch has left. */
  #epochs(): string[] {
    return existsSync(this.path) ? readdirSync(this.path).filter(isEpochFile) : []
  }

  /** Whether a run began here. */
  get hasBegun(): boolean {
    return existsSync(this.#record)
  }

  /** Whether a run has saved something here. */
  get hasRun(): boolean {
    return existsSync(this.last)
  }

  /**
   * Takes the folder, made where missing, until the returned function is called; a folder in which no run began is then
   * removed again if it is empty. What is taken already may be taken again by a part of the same work.
   * @throws FoveaError if another process has it, or the disk refuses
   */
  lock(): () => void {
    if (this.#isTaken) return () => {}
    this.#isNew = !existsSync(this.path)
    try {
      const release = lockFolder(this.path)
      this.#isTaken = true
      return () => {
        this.#isTaken = false
        release()
        if (this.#isNew && !this.hasBegun) removeEmpty(this.path)
      }
    } catch (error) {
      throw diskError(error, this.path, 'write')
    }
  }

  /** That what was begun here came to nothing: once it is no longer taken, the folder is removed if it is empty, as a new one is. */
  forget(): void {
    this.#isNew = true
  }

  /** Does work that is of several parts in the folder, which is taken until the end of all of them. */
  async whileTaken(work: () => Promise<void>): Promise<void> {
    const release = this.lock()
    try {
      await work()
    } finally {
      release()
    }
  }

  /** Keeps the record of the run: from now on the folder holds one. */
  async writeRecord(record: RunRecord): Promise<void> {
    await writeFileAtomic(this.#record, `${JSON.stringify(record, null, 2)}\n`)
  }

  /** @throws FoveaError if there is no run here; FormatError if its record is damaged or of another version */
  readRecord(): RunRecord {
    const path = this.#record
    if (!this.hasBegun) {
      throw new FoveaError(
        `there is no run in '${this.path}' to go on with; start it: ` +
          foveaCommand('train', 'MODEL', '--data', 'DATA', '--epochs', 'N', '--out', this.path),
      )
    }
    return parseRecord(path, readJson(path))
  }

  get #record(): string {
    return this.file('run.json')
  }

  /** Replaces the log: one JSON object an epoch. */
  async writeEpochs(lines: readonly EpochLine[]): Promise<void> {
    await writeFileAtomic(this.file(METRICS), lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  }

  /** The log's lines of the first epochs; a line that was cut short ends it. */
  readEpochs(epochs: number): EpochLine[] {
    const path = this.file(METRICS)
    if (!existsSync(path)) return []
    const lines: EpochLine[] = []
    for (const text of readText(path).split('\n').slice(0, epochs)) {
      try {
        lines.push(epochLine(JSON.parse(text)))
      } catch {
        break
      }
    }
    return lines
  }
}

/**
 * The folder that a saved model lies in as a run left it.
 * @param path a model's file, or the folder
 * @returns undefined for a file that has been moved elsewhere or renamed
 */
export function folderAround(path: string): RunFolder | undefined {
  const real = realpathSync(localPath(path))
  if (statSync(real).isDirectory()) return new RunFolder(real)
  return isRunModel(basename(real)) ? new RunFolder(dirname(real)) : undefined
}

/** `runs/NAME`, or the first of `runs/NAME-2`, `runs/NAME-3`, … that does not exist. A file may name its model as it likes. */
export const freeRunFolder = (name: string): string =>
  freeName(join('runs', name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+/, '') || 'model'))

/** Removes a folder unless there is something in it, such as the lock of who took it in between. */
function removeEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // It stays.
  }
}

const TEXT_LIMIT = { what: 'the text of a run', maxBytes: 64 << 20 }

/** @throws as readWhole */
const readText = (path: string): string => readWhole(path, TEXT_LIMIT).toString('utf8')

function readJson(path: string): unknown {
  const text = readText(path)
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new FormatError(`'${path}' is not JSON`)
  }
}
