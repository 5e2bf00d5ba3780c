/**
 * @file A budget (`--max-loss`, or what `compress` may lose): layers stay float32 until the accuracy that is lost is within a budget. Those that integers cost most by
 * themselves are the first; as few as will do.
 */
import { convertQuantization, type Dataset, type Engine, evaluate, type Model, prepareQuantization } from 'fovea'
import { bisect } from '../bisect.js'
import { type Output, percent } from '../output.js'
import { type MethodOptions, preparation, type Quantized } from './methods.js'

export interface BudgetOptions {
  /** In points of a hundred. */
  readonly maxLoss: number
  /** Beside which it is lost. Default: the model itself. */
  readonly original?: Model
  /** On which loss is measured: others than those that show ranges, and than those that the account is about. */
  readonly measured: Dataset
  readonly images: Dataset
  readonly engine: Engine
  readonly output: Output
}

/** @returns undefined where more is lost with a single layer in integers, or before anything is one */
export async function quantizeWithin(
  model: Model,
  method: Partial<MethodOptions>,
  { maxLoss, original = model, measured, images, engine, output }: BudgetOptions,
): Promise<Quantized | undefined> {
  const accuracyOf = async (of: Model): Promise<number> => (await evaluate(of, measured, { engine })).accuracy
  const before = await accuracyOf(original)
  const lossOf = async (of: Model): Promise<number> => 100 * (before - (await accuracyOf(of)))
  if (model !== original && (await lossOf(model)) > maxLoss) return undefined
  const { model: prepared, layers } = await prepareQuantization(model, { images, engine, ...preparation(method) })
  const worstFirst = layers
    .filter(({ signalToNoise }) => signalToNoise !== undefined)
    .sort((a, b) => a.signalToNoise! - b.signalToNoise!)
    .map(({ name }) => name)

  const tried = new Map<number, Quantized | undefined>()
  /** With the worst layers in float32; undefined where that loses too much. */
  const attempt = async (count: number): Promise<Quantized | undefined> => {
    if (!tried.has(count)) {
      const worst = worstFirst.slice(0, count)
      const integers = convertQuantization(prepared, { keepFloat32: worst })
      const loss = await lossOf(integers)
      const kept = count === 1 ? '1 layer' : `${count} layers`
      output.say(`${kept} in float32: ${percent(before - loss / 100)}, ${percent(before)} before`)
      output.result({ event: 'budget', keepFloat32: [...(method.keepFloat32 ?? []), ...worst], loss })
      const inFloat32 = new Set(worst)
      const types = layers.map(layer => (inFloat32.has(layer.name) ? { name: layer.name, dtype: 'float32' } : layer))
      tried.set(count, loss <= maxLoss ? { model: integers, layers: types } : undefined)
    }
    return tried.get(count)
  }

  // The fewest by halves: more layers in float32 lose no more, but for chance.
  let [tooFew, enough] = [-1, worstFirst.length - 1]
  for (let count = 0; count < enough; count = Math.min(2 * count + 1, enough)) {
    if (await attempt(count)) enough = count
    else tooFew = count
  }
  const fewest = await bisect({ good: enough, bad: tooFew }, async count => (await attempt(count)) !== undefined)
  return attempt(fewest)
}
