/** @file The work of `fovea quantize`: makes integers of a model's weights and activations, and puts both models side by side. */
import { FoveaError, type Model, take } from 'fovea'
import { parameterNodes, tensorBytes } from 'fovea/engine'
import { accountOf } from '../account/account.js'
import type { LayerAccount } from '../account/page.js'
import { accountText } from '../account/table.js'
import { writeAccount } from '../account/write.js'
import { readModel, writeCheckpoint } from '../checkpoint-file.js'
import { type EngineOptions, openEngine } from '../engines.js'
import { measuredImages, sayDoubts } from '../measured-images.js'
import { checkFound, dataName, findData, imagesFor, loading } from '../open-data.js'
import type { Output } from '../output.js'
import type { RunFolder } from '../run-folder.js'
import { formatTable } from '../table.js'
import { carryTrainedImages, readTrainedImages } from '../trained-images.js'
import { quantizeWithin } from './budget.js'
import { type MethodOptions, type QuantizedPart, quantizeBy } from './methods.js'

export interface QuantizeRequest extends MethodOptions, EngineOptions {
  readonly data: string
  readonly skipBad?: true
}

/** So many training images decide about a budget where there are none for validation. */
const BUDGET_IMAGES = 2000

/** In a folder that is taken. */
export async function runQuantization(
  file: string,
  request: QuantizeRequest,
  { folder, output }: { readonly folder: RunFolder; readonly output: Output },
): Promise<void> {
  const model = readModel(file)
  const trained = readTrainedImages(file)
  const found = await findData(request.data, { skipBad: request.skipBad === true, ...imagesFor(model) })
  checkFound(model, found)
  const data = await loading(output, load => found.open(load))
  const { train } = data
  if (request.method === 'ptq' && train.length === 0) {
    throw new FoveaError(`'${request.data}' has no train images, which show what numbers activations take`)
  }
  const measured = measuredImages([
    { name: file, data, trained },
    { name: folder.path, data, trained: { fingerprint: train.fingerprint } },
  ])
  sayDoubts(measured, output)
  const engine = openEngine({ engine: request.engine, threads: request.threads }, output)

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
    { images: measured.images[0], engine, output },
  )
  output.show(`\n${accountText(account)}`)
  await writeAccount(folder, {
    title: `${model.name}, quantized, on ${dataName(measured.images[0])}`,
    ...{ account, layers: quantized.layers, bars: barsOf(model, quantized.model), unit: 'bytes' },
  })
  output.result(account)
  const { method, weightBits = 8 } = request
  if (method === 'ptq' && weightBits === 8 && engine.arithmetic('int8') === 'widened') {
    output.say('this processor could overflow on 8-bit weights, so they compute in float32; --weight-bits 7 is for it')
  }
  output.say(`model    ${folder.model}`)
  output.say(`account  ${folder.file('account.html')}`)
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
