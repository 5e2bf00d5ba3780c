/** @file The folder of a run: which files it has, and what it says of the run so that it can go on. */
import { existsSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { FormatError, FoveaError, memoryUses, type RecipeChoice, recipeNames, type TrainingSettings } from 'fovea'
import { z } from 'zod'
import { runFiles } from './checkpoint-file.js'
import { engineNames } from './engines.js'
import { diskError, readWhole, writeFileAtomic } from './files.js'
import { lockFolder } from './lock.js'
import { trainingPrecisions } from './usage.js'

const whole = z.int().min(1)

/** All that a run was asked for; what is absent was left to the recipe. */
const requestSchema = z.object({
  model: z.string().max(1000),
  data: z.string().max(10_000),
  epochs: whole,
  batch: whole.optional(),
  recipe: z.enum(recipeNames).optional(),
  learningRate: z.number().positive().optional(),
  precision: z.enum(trainingPrecisions),
  engine: z.enum(engineNames).optional(),
  threads: whole.optional(),
  memory: z.enum(memoryUses).optional(),
  seed: z.int(),
  size: whole.optional(),
  limit: whole.optional(),
  skipBad: z.boolean().optional(),
  saveSeconds: z.int().min(0).optional(),
})

export type RunRequest = z.infer<typeof requestSchema>

/** What a request says of the run's settings; the recipe decides the rest. */
export function requestedSettings(
  request: Omit<RunRequest, 'data' | 'epochs'>,
): Partial<TrainingSettings> & RecipeChoice {
  const { batch, recipe, learningRate, precision, seed } = request
  return {
    precision,
    seed,
    ...(batch === undefined ? {} : { batchSize: batch }),
    ...(recipe === undefined ? {} : { recipe }),
    ...(learningRate === undefined ? {} : { learningRate }),
  }
}

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
})
export type EpochLine = z.infer<typeof epochSchema>

/** @throws ZodError for what is no line of the log */
export const epochLine = (value: unknown): EpochLine => epochSchema.parse(value)

export class RunFolder {
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

  /** Whether a run began here. */
  get hasBegun(): boolean {
    return existsSync(this.#request)
  }

  /** Whether a run has saved something here. */
  get hasRun(): boolean {
    return existsSync(this.last)
  }

  /**
   * Takes the folder, made where missing, until the returned function is called; a folder in which no run began is then
   * removed again.
   * @throws FoveaError if another process has it, or the disk refuses
   */
  lock(): () => void {
    const isNew = !existsSync(this.path)
    try {
      const release = lockFolder(this.path)
      return () => {
        release()
        if (isNew && !this.hasBegun) removeEmpty(this.path)
      }
    } catch (error) {
      throw diskError(error, this.path, 'write')
    }
  }

  /** Notes what is asked for: from now on the folder holds a run. */
  async begin(request: RunRequest): Promise<void> {
    await writeFileAtomic(this.#request, `${JSON.stringify(request, null, 2)}\n`)
  }

  /** @throws FoveaError if there is no run here; FormatError if its description is damaged */
  readRequest(): RunRequest {
    const path = this.#request
    if (!this.hasBegun) {
      throw new FoveaError(
        `there is no run in '${this.path}' to go on with; start it: fovea train MODEL --data … --epochs … --out ${this.path}`,
      )
    }
    const parsed = requestSchema.safeParse(readJson(path))
    if (parsed.success) return parsed.data
    const { path: at, message } = parsed.error.issues[0]
    throw new FormatError(`'${path}' is damaged at '${at.join('.')}': ${message}`)
  }

  get #request(): string {
    return this.file('run.json')
  }

  /** Replaces the log: one JSON object an epoch. */
  async writeEpochs(lines: readonly EpochLine[]): Promise<void> {
    await writeFileAtomic(this.file('metrics.jsonl'), lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  }

  /** The log's lines of the first epochs; a line that was cut short ends it. */
  readEpochs(epochs: number): EpochLine[] {
    const path = this.file('metrics.jsonl')
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

/** `runs/NAME`, or the first of `runs/NAME-2`, `runs/NAME-3`, … that does not exist. */
export function freeRunFolder(name: string): string {
  for (let i = 1; ; i++) {
    const path = join('runs', i === 1 ? name : `${name}-${i}`)
    if (!existsSync(path)) return path
  }
}

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
