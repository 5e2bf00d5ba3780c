/** @file Opens what `--data` names, with progress and notices shown to people. */
import type { DataSplits } from 'fovea'
import { type DataProgress, type LoadOptions, openDataset } from './data/index.js'
import { formatBytes, type Output, withCommas } from './output.js'
import { type ProgressBar, progressBar } from './progress.js'

export interface OpenDataOptions {
  readonly skipBad?: boolean
  /** [height, width] that images of a folder are cropped to. Default: what the folder suggests. */
  readonly size?: readonly [number, number]
}

/** @throws what the data set throws: nothing of that name, no images, images that cannot be read */
export async function openData(
  spec: string,
  output: Output,
  { skipBad, size }: OpenDataOptions = {},
): Promise<DataSplits> {
  return openDataset(spec, {
    ...progressOfData(output),
    ...(skipBad ? { skipBad } : {}),
    ...(size ? { size } : {}),
  })
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
