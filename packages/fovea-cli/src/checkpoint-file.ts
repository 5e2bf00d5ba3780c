/** @file Checkpoints on disk: read with every check, written whole or not at all. */
import { lstatSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  type Checkpoint,
  encodeCheckpoint,
  FormatError,
  FoveaError,
  type Model,
  type ModelSource,
  openSource,
  type ReadBeside,
} from 'fovea'
import { readDescribed, sayNotice } from './described-model.js'
import { type FileLimit, readWhole, writeFileAtomic } from './files.js'
import type { Output } from './output.js'
import { foveaCommand } from './shell.js'
import { modelOf, readConfig } from './weights/config.js'
import { type ForeignOptions, readForeign } from './weights/foreign-model.js'
import { localPath, weightFiles } from './weights/hub-cache.js'

/** The files of a run's folder. */
export const runFiles = {
  /** The trained model, without the optimizer's state. */
  model: 'model.safetensors',
  /** All that the run needs to go on. */
  last: 'last.safetensors',
  /** The model as it was after the epoch with the lowest held-out loss. */
  best: 'best.safetensors',
  /** Which images it trained on (trained-images.ts). */
  trainedImages: 'trained-images.safetensors',
} as const

/** The name of the checkpoint that a run keeps of an epoch. */
export const epochFile = (epoch: number): string => `epoch-${String(epoch).padStart(4, '0')}.safetensors`

export const isEpochFile = (name: string): boolean => /^epoch-\d{4,}\.safetensors$/.test(name)

/** Whether a file of a run's folder holds a model of the run. */
export const isRunModel = (name: string): boolean =>
  ([runFiles.model, runFiles.last, runFiles.best] as string[]).includes(name) || isEpochFile(name)

/** Room for a model of 4 GB and the two slots of Adam beside each weight. */
const LIMIT: FileLimit = { what: "a file of a model's numbers", maxBytes: 16 * 2 ** 30 }

/**
 * Reads what `fovea train` or `saveModel` wrote, an ONNX file, or weights whose `config.json` names a model of the registry; a
 * run's folder stands for the model in it.
 * @param onNotice is told what was taken for granted. Default: it is said on stderr
 * @throws FormatError naming the file and what is wrong with it; FoveaError if it cannot be read
 */
export function readCheckpoint(path: string, onNotice = sayNotice): Checkpoint {
  const { file, source } = readModelFile(path)
  if (source.graph !== undefined) return readDescribed(file, source.graph, { onNotice })
  const { architecture } = readConfig(dirname(file))
  if (architecture !== undefined && modelOf(architecture) !== undefined) {
    return { model: readForeign(source.weights, {}, { say: onNotice, warn: onNotice }) }
  }
  // Nothing else can be told which model they are of.
  const command = foveaCommand('import', path, '--model', 'MODEL', '--out', 'model.safetensors')
  throw new FormatError(
    `'${file}' holds weights without a description of their model: make a model of them first, with ${command}`,
  )
}

/** A saved model. @throws as readCheckpoint */
export const readModel = (path: string, onNotice = sayNotice): Model => readCheckpoint(path, onNotice).model

/** A file of a model, opened. */
export interface ModelFile {
  readonly file: string
  readonly source: ModelSource
}

/** @throws FoveaError if it cannot be read; FormatError for what holds no weights */
export function readModelFile(path: string): ModelFile {
  const file = modelFile(path)
  return { file, source: openSource(file, readWhole(file, LIMIT), besideOf(file)) }
}

const besideOf =
  (file: string): ReadBeside =>
  (name, links) => {
    const path = join(dirname(file), name)
    if (links === 'refused' && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new FormatError(`'${path}', where its numbers lie, is a link: put the file itself there`)
    }
    return readWhole(path, LIMIT)
  }

/**
 * A saved model as its file describes it, or the weights of a file that does not, for a model by name.
 * @throws as readCheckpoint and readForeign; FoveaError if a described model is another
 */
export function readPretrained(path: string, options: ForeignOptions, output: Pick<Output, 'say' | 'warn'>): Model {
  return pretrainedOf(readModelFile(path), options, output)
}

/** The same, of a file that has been opened. */
export function pretrainedOf(
  { file, source }: ModelFile,
  options: ForeignOptions,
  output: Pick<Output, 'say' | 'warn'>,
): Model {
  if (source.graph === undefined) return readForeign(source.weights, options, output)
  const { model } = readDescribed(file, source.graph, { normalize: options.normalize })
  if (options.model === undefined || options.model === model.name) return model
  throw new FoveaError(
    `'${file}' holds a ${model.name}, not a ${options.model}; leave out the model to take what the file holds`,
  )
}

/** @throws FoveaError if the disk refuses; an older file is then left as it was */
export const writeCheckpoint = (path: string, checkpoint: Checkpoint): Promise<void> =>
  writeFileAtomic(path, encodeCheckpoint(checkpoint))

/**
 * The file that holds a model: the path itself or, of a run's folder or one of weights, the model in it; of `hf://…`, where it was
 * downloaded to.
 * @throws FoveaError for a folder that has none, and what is not downloaded
 */
export function modelFile(path: string): string {
  const local = localPath(path)
  const isFolder = statSync(local, { throwIfNoEntry: false })?.isDirectory() === true
  if (!isFolder) return local
  const names = [...new Set([runFiles.model, runFiles.last, ...weightFiles])]
  const found = names.find(name => statSync(join(local, name), { throwIfNoEntry: false }))
  if (found !== undefined) return join(local, found)
  throw new FoveaError(`'${path}' is a folder without a model: it has no ${names.join(', ')}`)
}
