/**
 * @file `--max-loss`: layers stay float32 until the accuracy that is lost is within a budget. Those that integers cost most by
 * themselves are the first; as few as will do.
 */
import { type Dataset, type Engine, evaluate, FoveaError, type Model } from 'fovea'
import { type Output, percent } from '../output.js'
import { type MethodOptions, type Quantized, quantizeBy } from './methods.js'

export interface BudgetOptions {
  /** In points of a hundred. */
  readonly maxLoss: number
  /** On which loss is measured: others than those that show ranges, and than those that the account is about. */
  readonly measured: Dataset
  readonly images: Dataset
  readonly engine: Engine
  readonly output: Output
}

/** @throws FoveaError where even float32 layers alone do not keep within the budget: it is below 0 then */
export async function quantizeWithin(
  model: Model,
  method: MethodOptions,
  { maxLoss, measured, images, engine, output }: BudgetOptions,
): Promise<Quantized> {
  const how = { images, engine }
  const accuracyOf = async (of: Model): Promise<number> => (await evaluate(of, measured, { engine })).accuracy
  const before = await accuracyOf(model)
  const all = await quantizeBy(model, method, how)
  const worstFirst = all.layers
    .filter(({ signalToNoise }) => signalToNoise !== undefined)
    .sort((a, b) => a.signalToNoise! - b.signalToNoise!)
    .map(({ name }) => name)

  const tried = new Map<number, Quantized | undefined>()
  /** With the worst layers in float32; undefined where that loses too much. */
  const attempt = async (count: number): Promise<Quantized | undefined> => {
    if (!tried.has(count)) {
      const keepFloat32 = [...(method.keepFloat32 ?? []), ...worstFirst.slice(0, count)]
      const quantized = count === 0 ? all : await quantizeBy(model, { ...method, keepFloat32 }, how)
      const loss = 100 * (before - (await accuracyOf(quantized.model)))
      const kept = count === 1 ? '1 layer' : `${count} layers`
      output.say(`${kept} in float32: ${percent(before - loss / 100)}, ${percent(before)} before`)
      output.result({ event: 'tried', keepFloat32, loss })
      tried.set(count, loss <= maxLoss ? quantized : undefined)
    }
    return tried.get(count)
  }

  // The fewest by halves: more layers in float32 lose no more, but for chance.
  let [tooFew, enough] = [-1, worstFirst.length - 1]
  for (let count = 0; count < enough; count = Math.min(2 * count + 1, enough)) {
    if (await attempt(count)) enough = count
    else tooFew = count
  }
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2)
    if (await attempt(middle)) enough = middle
    else tooFew = middle
  }
  const found = await attempt(enough)
  if (found !== undefined) return found
  throw new FoveaError(
    `--max-loss ${maxLoss}: with a single layer in integers more is lost; allow more, or try --method weights`,
  )
}
