/** @file Opens what `--data` names, with progress and notices shown to people. */
import { createModel, type DataSplits, formatBytes, take } from 'fovea'
import { type DataProgress, type LoadOptions, openDataset } from './data/index.js'
import { type Output, withCommas } from './output.js'
import { type ProgressBar, progressBar } from './progress.js'
import type { RunRequest } from './run-folder.js'

export interface OpenDataOptions {
  readonly skipBad?: boolean
  /** [height, width] that images of a folder are cropped to. Default: what the folder suggests. */
  readonly size?: number | readonly [number, number]
  /** The most that the default is. */
  readonly maxSize?: number
}

/** @throws what the data set throws: nothing of that name, no images, images that cannot be read */
export async function openData(spec: string, output: Output, options: OpenDataOptions = {}): Promise<DataSplits> {
  return openDataset(spec, {
    ...progressOfData(output),
    ...options,
  })
}

/** The images of a run: a folder's at the model's own size, unless the run has another; a part of them, if it has a limit. */
export async function openRunData(
  { model, data, size, skipBad, limit }: RunRequest,
  output: Output,
): Promise<DataSplits> {
  const { train, test } = await openData(data, output, {
    ...(skipBad === undefined ? {} : { skipBad }),
    ...(size === undefined ? { maxSize: createModel(model).preprocessing.size[0] } : { size }),
  })
  if (limit === undefined || limit >= train.length) return { train, test }
  const part = Math.max(1, Math.round((limit * test.length) / train.length))
  return { train: take(train, limit), test: take(test, part) }
}

/** Callbacks for loading: a bar for each stage, notices as warnings. */
export function progressOfData(output: Output): Pick<LoadOptions, 'onProgress' | 'onNotice'> {
  let stage: string | undefined
  let bar: ProgressBar | undefined
  const close = (): void => {
    bar?.stop()
    bar = undefined
    stage = undefined
  }
  return {
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
    onNotice(message) {
      close()
      output.warn(message)
    },
  }
}
