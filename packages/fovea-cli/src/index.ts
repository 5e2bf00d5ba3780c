/** @file What Node has beside the library: models on disk. Data sets are in `fovea-cli/data`. */
import type { Model } from 'fovea'
import { readModel, writeCheckpoint } from './checkpoint-file.js'

/**
 * Reads a model that `saveModel` or `fovea train` wrote; the folder of a run stands for the model in it.
 * @throws FormatError naming the file and what is wrong with it; FoveaError if it cannot be read
 */
export const loadModel = (path: string): Model => readModel(path)

/**
 * Writes a model with its weights, graph, labels and preprocessing as one safetensors file, whole or not at all.
 * @throws FoveaError if the disk refuses
 */
export const saveModel = (path: string, model: Model): Promise<void> => writeCheckpoint(path, { model })
