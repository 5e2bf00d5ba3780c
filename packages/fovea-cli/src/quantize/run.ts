/** @file The work of `fovea quantize`: makes integers of a model's weights and activations, and puts both models side by side. */
import { type Model, take } from 'fovea'
import { parameterNodes, tensorBytes } from 'fovea/engine'
import { accountOf } from '../account/account.js'
import type { LayerAccount } from '../account/page.js'
import { reportAccount } from '../account/write.js'
import { writeCheckpoint } from '../checkpoint-file.js'
import { dataName } from '../open-data.js'
import { type OriginalRequest, openOriginal } from '../open-original.js'
import type { Output } from '../output.js'
import type { RunFolder } from '../run-folder.js'
import { formatTable } from '../table.js'
import { carryTrainedImages } from '../trained-images.js'
import { quantizeWithin } from './budget.js'
import { type MethodOptions, type QuantizedPart, quantizeBy } from './methods.js'

export interface QuantizeRequest extends MethodOptions, OriginalRequest {}

/** So many training images decide about a budget where there are none for validation. */
const BUDGET_IMAGES = 2000

/** In a folder that is taken. */
export async function runQuantization(
  file: string,
  request: QuantizeRequest,
  { folder, output }: { readonly folder: RunFolder; readonly output: Output },
): Promise<void> {
  const {
    model,
    trained,
    data,
    images: measured,
    engine,
  } = await openOriginal(file, request, {
    ...{ into: folder.path, output },
    ...(request.method === 'ptq' && { trainImages: 'which show what numbers activations take' }),
  })
  const { train } = data

  // Others decide about the budget than those that ranges are fitted to.
  const shuffled = take(train, Math.min(request.images + BUDGET_IMAGES, train.length))
  const images = take(shuffled, Math.min(request.images, shuffled.length))
  const how = { images, engine }
  const { maxLoss } = request
  const quantized =
    maxLoss === undefined
      ? await quantizeBy(model, request, how)
      : await quantizeWithin(model, request, { ...how, maxLoss, output, measured: data.validation ?? shuffled })
  await writeCheckpoint(folder.model, { model: quantized.model })
  await carryTrainedImages(folder.path, trained)
  output.show(formatTable(columns, quantized.layers.map(row)))
  const account = await accountOf(
    { name: file, model },
    { name: folder.path, model: quantized.model },
    { images: measured, engine, output },
  )
  const title = `${model.name}, quantized, on ${dataName(measured)}`
  const bars = barsOf(model, quantized.model)
  await reportAccount(folder, { title, account, layers: quantized.layers, bars, unit: 'bytes' }, output)
  const { method, weightBits = 8 } = request
  if (method === 'ptq' && weightBits === 8 && engine.arithmetic('int8') === 'widened') {
    output.say('this processor could overflow on 8-bit weights, so they compute in float32; --weight-bits 7 is for it')
  }
}

/** The bytes of each weight, before and after. */
function barsOf(before: Model, { graph }: Model): LayerAccount[] {
  const now = new Map(parameterNodes(graph).map(({ name, outputs: [type] }) => [name, tensorBytes(type)]))
  return parameterNodes(before.graph).flatMap(({ name, outputs: [type] }) =>
    type.shape.length > 1 ? [{ name, before: tensorBytes(type), after: now.get(name)! }] : [],
  )
}

const columns = [
  { title: 'layer', shrinkTo: 8 },
  { title: 'weights', align: 'left' as const },
  { title: 'signal to noise', align: 'right' as const },
]

const row = ({ name, dtype, signalToNoise }: QuantizedPart): string[] => [
  name,
  dtype,
  signalToNoise === undefined ? '' : `${signalToNoise.toFixed(1)} dB`,
]
