/** @file Opens what `--data` names, with progress and notices shown to people. */
import { createModel, type DataSplits, formatBytes, take } from 'fovea'
import { type DataProgress, type FoundData, findDataset, type LoadOptions, MAX_IMAGE_SIDE } from './data/index.js'
import { onInterrupt } from './interrupt.js'
import { type Output, withCommas } from './output.js'
import { type ProgressBar, progressBar } from './progress.js'
import type { RunRequest } from './run-record.js'
import { pretrained } from './starting-model.js'
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
export async function openData(spec: string, output: Output, options: OpenDataOptions = {}): Promise<DataSplits> {
  const found = await findData(spec, options)
  return loading(output, load => found.open(load))
}

/**
 * The images of a run: a folder's at the model's own size (that of a trained model exactly, that of a new one at most),
 * unless the run has another; a part of them, if it has a limit.
 */
export async function openRunData(
  request: Pick<RunRequest, 'model' | 'seed' | 'from' | 'data' | 'size' | 'skipBad' | 'limit'>,
  output: Output,
): Promise<DataSplits> {
  const { data, size, skipBad, limit } = request
  const trained = pretrained(request)?.preprocessing.size
  const own = trained
    ? { defaultSize: [trained[0], trained[1]] as const, channels: trained[2] }
    : { maxSize: createModel(request.model).preprocessing.size[0] }
  const splits = await openData(data, output, {
    ...(skipBad === undefined ? {} : { skipBad }),
    ...(size === undefined ? own : { size }),
  })
  return limitedTo(limit, splits)
}

/** Training on so many images, classes in proportion, and as large a part of those held out. Default: all. */
export function limitedTo(limit: number | undefined, { train, test }: DataSplits): DataSplits {
  if (limit === undefined || limit >= train.length) return { train, test }
  const part = Math.max(1, Math.round((limit * test.length) / train.length))
  return { train: take(train, limit), test: take(test, part) }
}

/**
 * Loads data with a bar for each stage and notices as warnings. Ctrl-C stops it.
 * @throws what `load` throws; InterruptError
 */
export async function loading<T>(output: Output, load: (options: LoadOptions) => Promise<T>): Promise<T> {
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

function progressOfData(output: Output) {
  let stage: string | undefined
  let bar: ProgressBar | undefined
  const close = (): void => {
    bar?.stop()
    bar = undefined
    stage = undefined
  }
  return {
    close,
    onProgress({ stage: now, done, total, unit }: DataProgress) {
      if (now !== stage) {
        close()
        stage = now
        bar = progressBar(now, total || 1)
      }
      const count = unit === 'bytes' ? formatBytes : withCommas
      bar?.update(done, `${count(done)}${total > 0 ? ` of ${count(total)}` : ''} ${unit === 'bytes' ? '' : unit}`)
      if (done === total) close()
    },
    onNotice(message: string) {
      close()
      output.warn(message)
    },
  }
}
