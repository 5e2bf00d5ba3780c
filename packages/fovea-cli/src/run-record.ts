/**
 * @file `run.json`, the record of a run: what was asked for, every number that it came to, and on which data, software and
 * machine. It has all that it takes to repeat the run, and of it a stopped run goes on.
 */
import { resolve } from 'node:path'
import {
  type DataSplits,
  type Dataset,
  type Engine,
  FormatError,
  interpolations,
  type Model,
  modelNames,
  parameterCount,
  type RecipeChoice,
  type ResolvedSettings,
  type TrainingSettings,
  trainSettings,
} from 'fovea'
import type { Presence, Setting } from 'fovea/engine'
import { simdVariants } from 'fovea-wasm'
import { z } from 'zod'
import { augmentationOf } from './augment-option.js'
import { datasetNames } from './data/index.js'
import { askedOf, engineNames } from './engines.js'
import { machineOf, softwareOf } from './machine.js'
import { optionOf } from './option-names.js'
import { pruningOf } from './pruning-option.js'
import { foveaCommand } from './shell.js'
import { overrideOf } from './usage.js'
import { hubNameOf } from './weights/hub-cache.js'
import { isHub } from './weights/hub-name.js'

const whole = z.int().min(1)

const patterns = z.array(z.string().max(1000)).max(1000)

/** What the library's table of settings takes. */
function taken<T>({ read, expected }: Setting<T, Presence>) {
  const isTaken = (value: unknown): boolean => {
    try {
      read(value, '')
      return true
    } catch {
      return false
    }
  }
  return z.custom<T>(isTaken, `expected ${expected}`)
}

/** All that a run was asked for; what is absent was left to the recipe. */
const requestSchema = z.object({
  model: z.string().max(1000),
  data: z.string().max(10_000),
  /** A saved model, or a file of weights, to start from. In a record it and a folder of data are absolute paths. */
  from: z.string().max(10_000).optional(),
  /** Whether the same is trained from new weights too. */
  compareScratch: z.boolean().optional(),
  /** Of weights that say nothing of their images. */
  normalize: z.string().max(1000).optional(),
  epochs: taken(trainSettings.epochs).optional(),
  batch: taken(trainSettings.batchSize).optional(),
  accumulate: taken(trainSettings.accumulate).optional(),
  recipe: taken(trainSettings.recipe).optional(),
  learningRate: taken(trainSettings.learningRate).optional(),
  clipNorm: taken(trainSettings.clipNorm).optional(),
  freeze: taken(trainSettings.freeze).optional(),
  normStatistics: taken(trainSettings.normStatistics).optional(),
  augment: patterns.optional(),
  set: patterns.optional(),
  pruning: patterns.optional(),
  /** The saved model to learn from; in a record an absolute path. */
  distill: z.string().max(10_000).optional(),
  averageDecay: z.number().min(0).max(1).optional(),
  earlyStopping: whole.optional(),
  classWeights: z.literal('balanced').optional(),
  precision: taken(trainSettings.precision),
  keepFloat32: taken(trainSettings.keepFloat32).optional(),
  testTimeAugmentation: taken(trainSettings.testTimeAugmentation).optional(),
  engine: z.enum(engineNames).optional(),
  threads: whole.optional(),
  simd: z.enum(simdVariants).optional(),
  memory: taken(trainSettings.memory).optional(),
  seed: taken(trainSettings.seed),
  size: whole.optional(),
  limit: whole.optional(),
  skipBad: z.boolean().optional(),
  saveSeconds: taken(trainSettings.saveSeconds).optional(),
  keep: whole.optional(),
})

export type RunRequest = z.infer<typeof requestSchema>

/** What a request says of the run's settings; the recipe decides the rest. */
export function requestedSettings(request: Omit<RunRequest, 'data'>): Partial<TrainingSettings> & RecipeChoice {
  const { batch: batchSize, averageDecay, earlyStopping, augment, pruning, distill, set } = request
  const { recipe, learningRate, accumulate, clipNorm, freeze, normStatistics, classWeights } = request
  const { precision, keepFloat32, seed, testTimeAugmentation } = request
  const average = averageDecay === undefined ? undefined : ({ type: 'moving', decay: averageDecay } as const)
  return given({
    ...{ recipe, learningRate, batchSize, accumulate, clipNorm, freeze, normStatistics, classWeights, average },
    ...{ precision, keepFloat32, seed, testTimeAugmentation },
    earlyStopping: earlyStopping === undefined ? undefined : { patience: earlyStopping },
    augment: augment && augmentationOf(augment),
    pruning: pruning && pruningOf(pruning),
    // As usual; --set says otherwise.
    distillation: distill === undefined ? undefined : {},
    override: set && overrideOf(set),
  })
}

/** Without what is undefined. */
const given = <T extends object>(options: T) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }

const VERSION = 1

const imagesSchema = z.object({ name: z.string(), images: whole, fingerprint: z.string() })

const recordSchema = z.object({
  /** Of the layout of this file. */
  version: z.literal(VERSION),
  /** What repeats the run. */
  command: z.string(),
  request: requestSchema,
  /** Every number: what was given, what the recipe decided, what is a default. For people; a resumed run resolves them anew. */
  settings: z.record(z.string(), z.unknown()),
  model: z.object({
    parameters: z.int(),
    /** How an image becomes an input. */
    preprocessing: z.object({
      ...{ size: z.array(whole), mean: z.array(z.number()), deviation: z.array(z.number()) },
      resizing: z.object({ crop: z.number(), interpolation: z.enum(interpolations) }).optional(),
    }),
  }),
  data: z.object({
    imageShape: z.array(whole),
    classes: z.array(z.string()),
    train: imagesSchema,
    validation: imagesSchema.optional(),
    test: imagesSchema,
  }),
  /** As the run was last started: one that was stopped may go on elsewhere. */
  software: z.object({ fovea: z.string(), node: z.string(), engine: z.string() }),
  machine: z.object({
    processor: z.string(),
    threads: whole,
    memoryBytes: z.number(),
    platform: z.string(),
    architecture: z.string(),
  }),
  /** For people: when it was first started, when it went on, when it was done. Clocks go wrong: nothing depends on them. */
  times: z.object({ started: z.string(), resumed: z.array(z.string()), finished: z.string().optional() }),
})

export type RunRecord = z.infer<typeof recordSchema>

/** What a request came to. */
interface Made {
  readonly model: Model
  readonly data: DataSplits
  readonly engine: Engine
  readonly settings: ResolvedSettings
}

/** The record of a run that is starting, or going on from where `before` tells of. */
export function recordOf(
  request: RunRequest,
  { model, data, engine, settings }: Made,
  before: RunRecord | undefined,
): RunRecord {
  const now = new Date().toISOString()
  // In the order of the schema.
  const known = requestSchema.parse({ ...request, ...pathsOf(request), ...askedOf(engine) })
  const { size, mean, deviation, resizing } = model.preprocessing
  return {
    version: VERSION,
    command: repeatCommand(known),
    request: known,
    settings: { ...given({ epochs: request.epochs }), ...settings },
    model: {
      parameters: parameterCount(model.graph),
      preprocessing: { size: [...size], mean: [...mean], deviation: [...deviation], ...(resizing && { resizing }) },
    },
    data: {
      imageShape: [...data.train.imageShape],
      classes: [...data.train.classes],
      train: imagesOf(data.train),
      ...(data.validation && { validation: imagesOf(data.validation) }),
      test: imagesOf(data.test),
    },
    software: softwareOf(engine),
    machine: machineOf(engine),
    times: before
      ? { started: before.times.started, resumed: [...before.times.resumed, now] }
      : { started: now, resumed: [] },
  }
}

/** What a run is made from, found from any working directory; names of data sets stay names. */
export const pathsOf = ({ data, from, distill }: Partial<Pick<RunRequest, 'data' | 'from' | 'distill'>>) => ({
  ...(data !== undefined && { data: datasetNames.includes(data) ? data : resolve(data) }),
  ...(from !== undefined && { from: modelPath(from) }),
  ...(distill !== undefined && { distill: modelPath(distill) }),
})

/** A file or folder; what came from the hub is called as it is there, so that the record is of use on any machine. */
const modelPath = (path: string): string => (isHub(path) ? path : (hubNameOf(resolve(path)) ?? resolve(path)))

const imagesOf = ({ name, length, fingerprint }: Dataset) => ({ name, images: length, fingerprint })

/** A run that came to its end. */
export const finished = (record: RunRecord): RunRecord => ({
  ...record,
  times: { ...record.times, finished: new Date().toISOString() },
})

/** The command line that asks for the same run. */
function repeatCommand({ model, ...request }: RunRequest): string {
  const options = Object.entries(request).flatMap(([name, value]) => {
    const option = optionOf(name)
    if (typeof value === 'boolean') return value ? [option] : []
    return value === undefined ? [] : [option, String(value)]
  })
  // Another name than the registry's is that of the file which --from names.
  return foveaCommand('train', ...(modelNames.includes(model) ? [model] : []), ...options)
}

/**
 * What `run.json` holds.
 * @param path the file's, for messages
 * @throws FormatError naming the entry at fault, or that another version of Fovea wrote it
 */
export function parseRecord(path: string, value: unknown): RunRecord {
  const { version } = (value ?? {}) as { version?: unknown }
  if (version !== VERSION) {
    const wrote =
      version === undefined ? 'an older version of Fovea wrote it' : `its version is ${JSON.stringify(version)}`
    throw new FormatError(`'${path}' cannot be read: ${wrote}, this one reads ${VERSION}; start the run anew`)
  }
  const parsed = recordSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const { path: at, message } = parsed.error.issues[0]
  throw new FormatError(`'${path}' is damaged at '${at.join('.')}': ${message}`)
}
