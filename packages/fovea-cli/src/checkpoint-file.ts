/** @file Checkpoints on disk: read with every check, written whole or not at all. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Checkpoint,
  createModel,
  decodeCheckpoint,
  decodeWeights,
  encodeCheckpoint,
  hasDescription,
  type Model,
  type ModelOptions,
} from 'fovea'
import { type FileLimit, readWhole, writeFileAtomic } from './files.js'

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
const LIMIT: FileLimit = { what: 'a checkpoint', maxBytes: 16 * 2 ** 30 }

/**
 * Reads what `fovea train` or `saveModel` wrote; a run's folder stands for the model in it.
 * @throws FormatError naming the file and what is wrong with it; FoveaError if it cannot be read
 */
export function readCheckpoint(path: string): Checkpoint {
  const file = modelFile(path)
  return decodeCheckpoint(file, readWhole(file, LIMIT))
}

/**
 * A saved model, or the weights of a file that says nothing of its model, for a model by name.
 * @throws as readCheckpoint; FormatError where the weights are not that model's
 */
export function readModel(path: string, named?: string, options: ModelOptions = {}): Model {
  if (named === undefined) return readCheckpoint(path).model
  const file = modelFile(path)
  return decodeWeights(file, readWhole(file, LIMIT), createModel(named, options))
}

/**
 * A saved model as its file describes it, or the weights of a file that does not, for a model by name.
 * @throws as readModel; FormatError if neither says what the model is
 */
export function readPretrained(path: string, named?: string): Model {
  const file = modelFile(path)
  const bytes = readWhole(file, LIMIT)
  if (named === undefined || hasDescription(file, bytes)) return decodeCheckpoint(file, bytes).model
  return decodeWeights(file, bytes, createModel(named))
}

/** @throws FoveaError if the disk refuses; an older file is then left as it was */
export const writeCheckpoint = (path: string, checkpoint: Checkpoint): Promise<void> =>
  writeFileAtomic(path, encodeCheckpoint(checkpoint))

/** The file that holds a model: the path itself or, of a run's folder, the model in it. */
export function modelFile(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (!isFolder) return path
  const done = join(path, runFiles.model)
  return statSync(done, { throwIfNoEntry: false }) ? done : join(path, runFiles.last)
}
