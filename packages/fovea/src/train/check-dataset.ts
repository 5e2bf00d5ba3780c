/** @file Whether a model and a data set fit: size, channels and classes. What is trained on has the model's classes; what is measured, some of them. */
import { batchesOf } from '../data/batches.js'
import type { Batch, BatchOptions, Dataset } from '../data/dataset.js'
import { imageSize } from '../data/dataset-setting.js'
import { InvalidArgumentError, nearestNames } from '../errors.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { group } from '../settings/group.js'
import { list, text } from '../settings/kinds.js'

/** What is known of a data set before its images are. */
type Described = Pick<Dataset, 'name' | 'imageShape' | 'classes'>

/**
 * Checks what a model is trained on.
 * @throws InvalidArgumentError where images or classes of the data are not the model's
 */
export function checkDataset(model: Model, dataset: Described): void {
  checkSize(model, dataset)
  const { name, labels } = model
  if (dataset.classes.length !== labels.length) {
    throw new InvalidArgumentError(
      `${name} tells ${labels.length} classes apart, ${dataset.name} has ${dataset.classes.length}`,
    )
  }
  const other = labels.findIndex((label, i) => label !== dataset.classes[i])
  if (other >= 0 && !isNameless(model)) {
    throw new InvalidArgumentError(
      `class ${other} is '${labels[other]}' to ${name}, '${dataset.classes[other]}' in ${dataset.name}`,
    )
  }
}

const described = group(
  'what is known of a data set before it is loaded',
  { name: text('for messages'), imageShape: imageSize('of every image'), classes: list('', 'names', text('a class')) },
  'ignored',
)

function checkSize(model: Model, dataset: Described): void {
  const { name, preprocessing } = modelOf(model)
  described.parse(dataset, 'dataset')
  const [expected, got] = [preprocessing.size.join('×'), dataset.imageShape.join('×')]
  if (expected === got) return
  throw new InvalidArgumentError(`${name} takes images of ${expected}, ${dataset.name} has images of ${got}`)
}

/** Such a model (`0`, `1`, …) takes as many classes of any names, in their order. */
const isNameless = ({ labels }: Model): boolean => labels.every((label, i) => label === String(i))

/**
 * Which class of a model each class of a data set is, by name: the data may have some of them only, in any order.
 * @returns an index into the model's labels for each of the data's classes
 * @throws InvalidArgumentError for images of another size, and for a class that the model does not know
 */
export function classIndices(model: Model, dataset: Described): Int32Array {
  checkSize(model, dataset)
  const { name, labels } = model
  const { classes } = dataset
  if (isNameless(model) && classes.length === labels.length) return Int32Array.from(classes.keys())
  const known = new Map(labels.map((label, i) => [label.normalize(), i]))
  const indices = classes.map(label => known.get(label.normalize()))
  const unknown = classes.filter((_, i) => indices[i] === undefined)
  if (unknown.length > 0) throw unknownClasses(name, labels, dataset.name, unknown)
  return Int32Array.from(indices as number[])
}

/** At most so many names are listed. */
const FEW = 10

function unknownClasses(
  model: string,
  labels: readonly string[],
  data: string,
  unknown: readonly string[],
): InvalidArgumentError {
  const list = (names: readonly string[]): string =>
    `${names.slice(0, FEW).join(', ')}${names.length > FEW ? ` and ${names.length - FEW} more` : ''}`
  const words = unknown.map(name => {
    const [near] = nearestNames(name, labels)
    return `'${name}'${near === undefined ? '' : ` (did you mean '${near}'?)`}`
  })
  return new InvalidArgumentError(
    `${data} has class${unknown.length > 1 ? 'es' : ''} ${list(words)}, which ${model} does not know; it knows ${list(labels)}`,
  )
}

/**
 * The same images with the labels of a model; its classes in its order.
 * @throws as classIndices
 */
export function inClassesOf(model: Model, dataset: Dataset): Dataset {
  const indices = classIndices(model, dataset)
  if (indices.every((index, i) => index === i) && indices.length === model.labels.length) return dataset
  const { name, length, imageShape, fingerprint } = dataset
  return {
    ...{ name, length, imageShape, fingerprint },
    classes: model.labels,
    labels: dataset.labels.map(label => indices[label]),
    read: (images, target) => dataset.read(images, target),
    batches: options => relabelled(dataset, indices, options),
  }
}

async function* relabelled(dataset: Dataset, indices: Int32Array, options: BatchOptions): AsyncGenerator<Batch> {
  for await (const { labels, mix, ...batch } of batchesOf(dataset, options)) {
    const inModel = (label: number): number => indices[label]
    yield {
      ...batch,
      labels: labels.map(inModel),
      ...(mix && { mix: { ...mix, labels: mix.labels.map(inModel) } }),
    }
  }
}
