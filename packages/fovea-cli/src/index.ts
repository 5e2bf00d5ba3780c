/** @file What Node has beside the library: models on disk. Data sets are in `fovea-cli/data`. */
import type { Model } from 'fovea'
import { flag, group, modelOf, type Rows, text } from 'fovea/engine'
import { readModel, writeCheckpoint } from './checkpoint-file.js'
import { checkNewFile } from './new-files.js'

const filePath = text('a file, or the folder of a run')

/**
 * Reads a model that `saveModel` or `fovea train` wrote; the folder of a run stands for the model in it.
 * @throws FormatError naming the file and what is wrong with it; FoveaError if it cannot be read
 */
export const loadModel = (path: string): Model => readModel(filePath.parse(path, 'path'))

/** How a model is saved. */
export interface SaveOptions {
  /** Replaces a file that is there already. Default: it is an error. */
  readonly overwrite?: boolean
}

const saveOptions = group('how a model is saved', {
  overwrite: flag('whether a file that is there already is replaced').default(false),
} satisfies Rows<SaveOptions>)

/**
 * Writes a model with its weights, graph, labels and preprocessing as one safetensors file, whole or not at all.
 * @throws FoveaError if the file exists already, unless it is to be overwritten, or the disk refuses; SettingError for what
 *   is no model
 */
export async function saveModel(path: string, model: Model, options: SaveOptions = {}): Promise<void> {
  filePath.parse(path, 'path')
  modelOf(model)
  const { overwrite } = saveOptions.parse(options, '')
  if (!overwrite) checkNewFile(path)
  await writeCheckpoint(path, { model })
}
