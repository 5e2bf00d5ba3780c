/** @file The end of `fovea compress`: the model that was chosen, its account, and all that was tried as a table and a picture. */
import type { Model } from 'fovea'
import { parameterNodes, tensorBytes } from 'fovea/engine'
import { parameterAccounts } from '../account/parameters.js'
import { pointsOf } from '../account/table.js'
import { type Cost, costOf, costPlot, type TradeOff } from '../account/trade-off.js'
import { reportAccount } from '../account/write.js'
import { readModel } from '../checkpoint-file.js'
import { dataName } from '../open-data.js'
import type { Original } from '../open-original.js'
import { type Output, withCommas } from '../output.js'
import { writePicture } from '../reports/picture.js'
import { tradeOffPicture } from '../reports/trade-off-picture.js'
import type { RunFolder } from '../run-folder.js'
import { aboutIntegers } from './about-integers.js'
import type { Compressed } from './compression.js'
import { keep } from './models.js'
import { sizeTargets, targetText } from './targets.js'

/** Without its ending. */
export const PICTURE = 'trade-off'

/** @param compressed what came of the search; its `chosen` becomes the model of the folder */
export async function reportCompression(
  { model, images }: Original,
  compressed: Compressed,
  { folder, output }: { readonly folder: RunFolder; readonly output: Output },
): Promise<void> {
  const { points, chosen } = compressed
  const after = readModel(chosen.model)
  await keep(folder.path, after, chosen.model)
  const tradeOff = tradeOffOf(compressed)
  const title = `${model.name}, compressed, on ${dataName(images)}`
  const picture = await writePicture(tradeOffPicture(title, costPlot(tradeOff)), folder.file(PICTURE))
  const { amount: _, integers: __, ...account } = chosen
  const layers = layersOf(model, after)
  await reportAccount(
    folder,
    {
      ...{ title, account: { before: points[0], after: { ...account, model: folder.path } }, tradeOff },
      ...{
        parameters: parameterAccounts(model, after),
        layers,
        bars: layers.map(({ name, bytes }) => ({ name, ...bytes })),
        unit: 'bytes',
      },
    },
    output,
  )
  output.say(`picture  ${picture}`)
}

/** Over what accuracy is shown: the first size that is asked for, or the bytes of the file. */
function tradeOffOf({ targets, points, chosen, loss }: Compressed): TradeOff {
  const sizes = sizeTargets(targets)
  const [first] = sizes
  const cost: Cost = first?.kind ?? 'bytes'
  const ratio = (kind: Cost): string => `${(costOf(chosen, kind) / costOf(points[0], kind)).toFixed(3)}x`
  return {
    ...{ cost, points, chosen },
    ...(first && { most: first.most * costOf(points[0], cost) }),
    asked: [
      ...targets.map(target =>
        target.kind === 'accuracy'
          ? `asked for ${targetText(target)}: ${pointsOf(-loss!.points / 100)} on the ${withCommas(loss!.images)} images that decided`
          : `asked for ${targetText(target)}: ${ratio(target.kind)}`,
      ),
      ...aboutIntegers({ targets, points, chosen }),
    ],
  }
}

interface CompressedLayer {
  /** Of its weights. */
  readonly name: string
  readonly dtype: string
  /** What it makes, before and after. */
  readonly channels: number
  readonly kept: number
  readonly bytes: { readonly before: number; readonly after: number }
}

function layersOf(before: Model, after: Model): CompressedLayer[] {
  const now = new Map(parameterNodes(after.graph).map(({ name, outputs: [type] }) => [name, type]))
  return parameterNodes(before.graph).flatMap(({ name, outputs: [type] }) => {
    const left = now.get(name)
    if (type.shape.length < 2 || left === undefined) return []
    const bytes = { before: tensorBytes(type), after: tensorBytes(left) }
    return [{ name, dtype: left.dtype, channels: type.shape[0], kept: left.shape[0], bytes }]
  })
}
