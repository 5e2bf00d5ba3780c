/** @file `fovea prune --analyze`: what each layer of a model bears, as a table, a picture and JSON. */
import { join } from 'node:path'
import { type AnalyzePruningOptions, analyzePruning, type Dataset, type PruningAnalysis, take } from 'fovea'
import { readModel } from '../checkpoint-file.js'
import { writeFileAtomic } from '../files.js'
import { onInterrupt } from '../interrupt.js'
import { describeMeasured } from '../measured-images.js'
import { checkNewFiles, freeName } from '../new-files.js'
import { dataName } from '../open-data.js'
import { openOriginal } from '../open-original.js'
import { type Output, percent, withCommas } from '../output.js'
import { progressBar } from '../progress.js'
import { pictureFiles, writePicture } from '../reports/picture.js'
import { sensitivityPicture } from '../reports/sensitivity-picture.js'
import { formatTable } from '../table.js'
import type { PruneRequest } from './run.js'

/** What it leaves: numbers and a picture. */
const analysisFiles = (folder: string): string[] => [
  join(folder, 'analysis.json'),
  ...pictureFiles(join(folder, 'analysis')),
]

/** @param out the folder. Default: a new one, `runs/MODEL-analysis` */
export async function analyze(
  file: string,
  request: Omit<PruneRequest, 'amount'>,
  { out, output }: { readonly out: string | undefined; readonly output: Output },
): Promise<void> {
  const { method, importance, images: limit, seed } = request
  const model = readModel(file)
  const folder = out ?? freeName(join('runs', `${model.name}-analysis`), analysisFiles)
  checkNewFiles(analysisFiles(folder), '--out')
  const { data, measured, engine } = await openOriginal(file, request, { output })
  const part = (images: Dataset) => take(images, Math.min(limit, images.length), seed)
  const images = part(measured.images[0])
  const unit = method === 'channels' ? 'channels' : 'weights'
  const criterion = method === 'taylor' ? 'taylor' : importance
  const bar = progressBar('measurements', 1)
  const interrupt = onInterrupt(() => bar.stop())
  const options: AnalyzePruningOptions = {
    ...{ images, unit, seed, engine },
    ...(criterion && { importance: criterion }),
    ...(criterion === 'taylor' && { trainingImages: part(data.train) }),
    onPoint: (done, of) => {
      interrupt.signal.throwIfAborted()
      bar.update(done / of, `${done} of ${of}`)
    },
  }
  let analysis: PruningAnalysis
  try {
    analysis = await analyzePruning(model, options)
  } finally {
    bar.stop()
    interrupt.release()
  }
  output.show(tableOf(analysis, unit))
  output.say(
    `accuracy without that part of one layer, of ${withCommas(images.length)} of ${describeMeasured(measured, request.data)};`,
  )
  output.say(`the whole model has ${percent(analysis.accuracy)}`)
  await writeFileAtomic(join(folder, 'analysis.json'), `${JSON.stringify({ unit, ...analysis }, null, 2)}\n`)
  const title = `What layers of ${model.name} bear, on ${dataName(images)}`
  const picture = await writePicture(sensitivityPicture(title, analysis, unit), join(folder, 'analysis'))
  output.result({ unit, images: images.length, ...analysis, picture })
  output.say(`picture  ${picture}`)
}

const tableOf = ({ ratios, layers }: PruningAnalysis, unit: string): string =>
  formatTable(
    [
      { title: 'layer', shrinkTo: 8 },
      { title: unit, align: 'right' },
      ...ratios.map(ratio => ({ title: `−${Math.round(100 * ratio)} %`, align: 'right' as const })),
    ],
    layers.map(({ name, size, accuracies }) => [name, withCommas(size), ...accuracies.map(percent)]),
  )
