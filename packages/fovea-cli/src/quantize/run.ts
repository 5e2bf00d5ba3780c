/** @file The work of `fovea quantize`: makes integers of a model's weights and activations, and puts both models side by side. */
import { type Dataset, FoveaError, type Model, split, take } from 'fovea'
import { parameterNodes, tensorBytes } from 'fovea/engine'
import { accountOf } from '../account/account.js'
import type { LayerAccount } from '../account/page.js'
import { parameterAccounts } from '../account/parameters.js'
import { accountFiles, reportAccount } from '../account/write.js'
import { readModel, writeCheckpoint } from '../checkpoint-file.js'
import type { LoadedData } from '../data/index.js'
import { dataName } from '../open-data.js'
import { type Original, type OriginalRequest, openOriginal } from '../open-original.js'
import type { PlannedWork } from '../plan.js'
import type { RunFolder } from '../run-folder.js'
import { formatTable } from '../table.js'
import { carryTrainedImages, writeTrainedImages } from '../trained-images.js'
import { quantizeWithin } from './budget.js'
import { type Method, type MethodOptions, type Quantized, type QuantizedPart, quantizeAtOnce } from './methods.js'
import { type QuantizeFindings, quantizePlans } from './plan.js'
import { trainingFolders, trainQuantized } from './train.js'

export interface QuantizeRequest extends MethodOptions, OriginalRequest {}

/** So many training images decide about a budget where there are none for validation. */
const BUDGET_IMAGES = 2000

/** All files that a folder of `fovea quantize` may have, beside its plan and those of a run. */
export const filesOf = (folder: RunFolder): string[] =>
  [...trainingFolders, ...accountFiles].map(name => folder.file(name))

export async function runQuantization(
  file: string,
  request: QuantizeRequest,
  { folder, plan, output }: PlannedWork<QuantizeFindings>,
): Promise<void> {
  const { method, weightBits } = request
  const original = await openOriginal(file, request, {
    ...{ into: folder.path, output },
    ...(method !== 'weights' && { trainImages: 'which show what numbers activations take' }),
  })
  const { model, images: measured, engine } = original
  if (method !== 'weights' && engine.weightBits === 7) {
    output.say(
      weightBits === 8
        ? 'this processor could overflow on 8-bit weights, so they compute in float32; --weight-bits 7 is for it'
        : 'weights have 7 bits: this processor could overflow on 8 (--weight-bits 8 for other processors)',
    )
  }
  const quantized = await (method === 'qat' ? learnt : atOnce)(original, request, { plan, folder, output })
  if (quantized === undefined) return
  output.show(formatTable(columnsOf(method), quantized.layers.map(row)))
  const account = await accountOf(
    { name: file, model },
    { name: folder.path, model: quantized.model },
    { images: measured, engine, output },
  )
  const title = `${model.name}, quantized, on ${dataName(measured)}`
  const bars = barsOf(model, quantized.model)
  const parameters = parameterAccounts(model, quantized.model)
  await reportAccount(folder, { title, account, parameters, layers: quantized.layers, bars, unit: 'bytes' }, output)
}

/** After training for it. @returns undefined if that was interrupted */
async function learnt(
  original: Original,
  request: QuantizeRequest,
  planned: PlannedWork<QuantizeFindings>,
): Promise<Quantized | undefined> {
  const { data, trained } = original
  const { images } = chooseImages(data, request.images)
  const { folder } = planned
  const quantized = await trainQuantized(original, { seed: 0, ...request }, { ...planned, images })
  if (quantized === undefined) return undefined
  await writeCheckpoint(folder.model, { model: quantized.model })
  await writeTrainedImages(folder.path, data.train, trained)
  return quantized
}

/** Without training. Work that was killed once its model was there goes on with that one. */
async function atOnce(
  { model, trained, data, engine }: Original,
  request: QuantizeRequest,
  { plan, folder, output }: PlannedWork<QuantizeFindings>,
): Promise<Quantized> {
  if (plan.layers !== undefined) return { model: readModel(folder.model), layers: plan.layers }
  const { maxLoss } = request
  const { images, others: measured } = chooseImages(data, request.images)
  const quantized = await (maxLoss === undefined
    ? quantizeAtOnce(model, request, { images, engine })
    : quantizeWithin(model, request, { images, engine, maxLoss, output, measured }))
  if (quantized === undefined) {
    throw new FoveaError(
      `--max-loss ${maxLoss}: with a single layer in integers more is lost; allow more, or try --method weights`,
    )
  }
  await quantizePlans.write(folder, plan)
  await carryTrainedImages(folder.path, trained)
  await writeCheckpoint(folder.model, { model: quantized.model })
  await quantizePlans.write(folder, { ...plan, layers: quantized.layers })
  return quantized
}

/** Images that show ranges, and others that decide about a budget: those for validation, or some of train. */
function chooseImages({ train, validation }: LoadedData, count: number) {
  const some = (most: number): Dataset => take(train, Math.min(most, train.length))
  if (validation !== undefined || train.length <= count) return { images: some(count), others: validation ?? train }
  const both = some(count + BUDGET_IMAGES)
  const { train: images, test: others } = split(both, 1 - count / both.length)
  return { images, others }
}

/** The bytes of each weight, before and after. */
function barsOf(before: Model, { graph }: Model): LayerAccount[] {
  const now = new Map(parameterNodes(graph).map(({ name, outputs: [type] }) => [name, tensorBytes(type)]))
  return parameterNodes(before.graph).flatMap(({ name, outputs: [type] }) =>
    type.shape.length > 1 ? [{ name, before: tensorBytes(type), after: now.get(name)! }] : [],
  )
}

const columnsOf = (method: Method) => [
  { title: 'layer', shrinkTo: 8 },
  { title: 'weights', align: 'left' as const },
  { title: method === 'qat' ? 'signal to noise, before training' : 'signal to noise', align: 'right' as const },
]

const row = ({ name, dtype, signalToNoise }: QuantizedPart): string[] => [
  name,
  dtype,
  signalToNoise === undefined ? '' : `${signalToNoise.toFixed(1)} dB`,
]
