/** @file The model that a run starts from: new weights for the images and classes of the data, or a trained model's. */
import { createModel, type DataSplits, FoveaError, type Model, measureNormalization, replaceHead } from 'fovea'
import { readPretrained } from './checkpoint-file.js'
import type { RunRequest } from './run-record.js'

/**
 * The trained model that `--from` names; the request's model says what a file is that holds weights alone.
 * @throws FormatError as readPretrained; FoveaError where the file holds another model
 */
export function pretrained({ model: name, from }: Pick<RunRequest, 'model' | 'from'>): Model | undefined {
  if (from === undefined) return undefined
  const model = readPretrained(from, name)
  if (model.name === name) return model
  throw new FoveaError(`'${from}' holds a ${model.name}, not a ${name}; leave out the model to train what it holds`)
}

/** With new weights, or with those of a trained model and, for other classes, a new head. */
export function startingModel(
  start: Pick<RunRequest, 'model' | 'seed'>,
  { train: images }: DataSplits,
  given?: Model,
): Model {
  if (given === undefined) {
    return createModel(start.model, {
      input: images.imageShape,
      labels: images.classes,
      normalization: measureNormalization(images),
      images,
      seed: start.seed,
    })
  }
  const sameClasses =
    given.labels.length === images.classes.length && given.labels.every((label, i) => label === images.classes[i])
  return sameClasses ? given : replaceHead(given, images.classes, start.seed)
}
