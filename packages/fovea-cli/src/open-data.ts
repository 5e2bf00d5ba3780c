/** @file Opens what `--data` names, with progress and notices shown to people. */
import {
  classIndices,
  createModel,
  type Dataset,
  FoveaError,
  formatBytes,
  InvalidArgumentError,
  type Model,
  type Resizing,
  take,
} from 'fovea'
import { aboutLoaded, sayAboutData } from './about-data.js'
import {
  type DataProgress,
  datasetNames,
  type FoundData,
  findDataset,
  type LoadedData,
  type LoadOptions,
  MAX_IMAGE_SIDE,
  type Purpose,
} from './data/index.js'
import { onInterrupt } from './interrupt.js'
import { type Output, withCommas } from './output.js'
import { StagedProgress } from './progress.js'
import type { RunRequest } from './run-record.js'
import { wholeNumber } from './usage.js'

export interface OpenDataOptions {
  readonly skipBad?: boolean
  /** What `--size` asks for. */
  readonly size?: number
  /** [height, width] that images of a folder are cropped to if nobody asks. Default: what the folder suggests. */
  readonly defaultSize?: readonly [number, number]
  /** The most that the folder suggests. */
  readonly maxSize?: number
  /** Of a folder's images. Default: 3. */
  readonly channels?: number
  /** How a folder's pictures are resized before they are cropped. */
  readonly resizing?: Resizing
  /** What the images are for. Default: to train on. */
  readonly purpose?: Purpose
}

/** The values that `--size` takes. */
export const imageSide = wholeNumber('--size', 1, MAX_IMAGE_SIDE)

/**
 * What `--data` names, before any image of it is read.
 * @throws UsageError for a size that no image may have; what the data set throws: nothing of that name, no images
 */
export function findData(spec: string, options: OpenDataOptions = {}): Promise<FoundData> {
  if (options.size !== undefined) imageSide(String(options.size))
  return findDataset(spec, options)
}

/** @throws as findData; FormatError naming the images that cannot be read */
export async function openData(spec: string, output: Output, options: OpenDataOptions = {}): Promise<LoadedData> {
  const found = await findData(spec, options)
  return loading(output, load => found.open(load))
}

/**
 * The images of a run: a folder's at the model's own size (that of a trained model exactly, that of a new one at most),
 * unless the run has another; a part of them, if it has a limit.
 * @param trained what the run starts from, unless that is new
 */
export async function openRunData(
  request: Pick<RunRequest, 'model' | 'data' | 'size' | 'skipBad' | 'limit'>,
  output: Output,
  trained?: Model,
): Promise<LoadedData> {
  const { data, size, skipBad, limit } = request
  const own = trained ? imagesFor(trained) : { maxSize: createModel(request.model).preprocessing.size[0] }
  const splits = await openData(data, output, {
    ...(skipBad === undefined ? {} : { skipBad }),
    ...own,
    ...(size !== undefined && { size }),
  })
  for (const [part, { length }] of Object.entries({ train: splits.train, test: splits.test })) {
    if (length === 0) throw new FoveaError(`'${data}' has no ${part} images: it was packed to measure models only`)
  }
  const images = limitedTo(limit, splits)
  sayAboutData(data, aboutLoaded(images), output)
  return images
}

/** In what size, with how many channels and how resized the images of a folder come for a model that has its own. */
export const imagesFor = ({
  preprocessing: { size, resizing },
}: Model): Pick<OpenDataOptions, 'defaultSize' | 'channels' | 'resizing'> => ({
  defaultSize: [size[0], size[1]],
  channels: size[2],
  ...(resizing && { resizing }),
})

/** That a saved model can be measured on them. @throws as checkSize and classIndices, before any image is read */
export function checkFound(model: Model, found: FoundData): void {
  checkSize(model, found)
  classIndices(model, found)
}

/**
 * That images have the size that a saved model takes.
 * @param takesAny whether it is of weights alone, which `--size` gives a size
 * @throws InvalidArgumentError saying what gives the model such images
 */
export function checkSize(
  { name: model, preprocessing: { size } }: Model,
  { name, imageShape, sizeFrom }: Pick<FoundData, 'name' | 'imageShape' | 'sizeFrom'>,
  takesAny = () => false,
): void {
  if (size.join() === imageShape.join()) return
  const [[height, width, channels], [side, other, given]] = [size, imageShape]
  const remedies = [
    ...(side === other && takesAny() ? [`give --size ${side} to train at theirs`] : []),
    ...(sizeFrom === 'asked' ? ['leave out --size'] : []),
    ...(sizeFrom === undefined && !datasetNames.includes(name) && height === width
      ? [`pack the folder again with --size ${height}`]
      : []),
  ]
  const remedy = channels === given && remedies.length > 0 ? `; ${remedies.join(', or ')}` : ''
  throw new InvalidArgumentError(
    `${model} takes images of ${size.join('×')}, ${name} has images of ${imageShape.join('×')}${remedy}`,
  )
}

/** What a data set is called, whichever of its parts this is. */
export const dataName = ({ name }: Dataset): string => name.replace(/\/(train|validation|test)$/, '')

/**
 * Training on so many images, classes in proportion, and as large a part of those held out, at least one of each class.
 * Default: all.
 * @throws InvalidArgumentError for fewer images than classes
 */
export function limitedTo(limit: number | undefined, data: LoadedData): LoadedData {
  const { train, validation, test } = data
  if (limit === undefined || limit >= train.length) return data
  const part = (images: Dataset): Dataset =>
    take(images, Math.max(new Set(images.labels).size, Math.round((limit * images.length) / train.length)))
  return { ...data, train: take(train, limit), ...(validation && { validation: part(validation) }), test: part(test) }
}

/**
 * Loads data with a bar for each stage and notices as warnings. Ctrl-C stops it.
 * @throws what `load` throws; InterruptError
 */
export async function loading<T>(output: Pick<Output, 'warn'>, load: (options: LoadOptions) => Promise<T>): Promise<T> {
  const { close, ...progress } = progressOfData(output)
  const { signal, release } = onInterrupt(close)
  try {
    const result = await load({ ...progress, signal })
    signal.throwIfAborted()
    return result
  } finally {
    close()
    release()
  }
}

function progressOfData(output: Pick<Output, 'warn'>) {
  const progress = new StagedProgress()
  let stage: string | undefined
  const close = (): void => {
    progress.stop()
    stage = undefined
  }
  return {
    close,
    onProgress({ stage: now, done, total, unit }: DataProgress) {
      if (now !== stage) progress.begin(now, total || 1)
      stage = now
      const count = unit === 'bytes' ? formatBytes : withCommas
      progress.update(done, `${count(done)}${total > 0 ? ` of ${count(total)}` : ''} ${unit === 'bytes' ? '' : unit}`)
      if (done === total) close()
    },
    onNotice(message: string) {
      close()
      output.warn(message)
    },
  }
}
