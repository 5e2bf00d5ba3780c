/**
 * @file From which number to which the activations of a model go: what 8 bits have to tell apart. Found on images, by one of
 * four ways to weigh what is cut off against the steps between the rest (Wu et al. 2020, arXiv 2004.09602, section 5).
 */
import { InvalidArgumentError } from '../errors.js'
import type { HostArray } from '../graph/arrays.js'
import type { Value } from '../graph/graph.js'
import { tensorBytes } from '../graph/types.js'
import type { Model } from '../models/model.js'
import { GraphBuilder } from '../ops/builder.js'
import type { ActivationRange } from '../ops/quantization.js'
import { rewriteInto } from '../passes/rewrite.js'
import { setBatchSize } from '../passes/set-batch-size.js'
import { addByEnergy, Histogram, type RangeMethod, rangeBy } from './activation-range.js'
import { type MeasuredOn, overBatches } from './over-batches.js'

/** So much of activations is held at once. */
const MOST_BYTES = 256 << 20

/**
 * The range of each value, over all images. Values that are 0 are exact in any range, and are not weighed.
 * @param values of the model's graph
 * @throws InvalidArgumentError for activations that are not numbers
 */
export async function calibrate(
  model: Model,
  values: readonly Value[],
  method: RangeMethod,
  measuredOn: MeasuredOn,
): Promise<Map<Value, ActivationRange>> {
  const perImage = values.reduce((sum, { type }) => sum + tensorBytes(type), 0)
  const most = Math.max(1, Math.floor(MOST_BYTES / perImage))
  const measuring = { ...measuredOn, batchSize: Math.min(measuredOn.batchSize, most) }
  const graph = withOutputs(model, values, measuring.batchSize)
  const visit = (look: (numbers: HostArray, index: number) => void) =>
    overBatches(graph, model, measuring, outputs => values.forEach((_, i) => look(outputs[i], i)))

  const limits = values.map((): { low: number; high: number } => ({ low: 0, high: 0 }))
  await visit((numbers, i) => {
    let { low, high } = limits[i]
    for (let k = 0; k < numbers.length; k++) {
      const x = numbers[k]
      if (x < low) low = x
      else if (x > high) high = x
      else if (Number.isNaN(x)) throw unusable(values[i])
    }
    limits[i] = { low, high }
  })
  const infinite = limits.findIndex(({ low, high }) => !Number.isFinite(high - low))
  if (infinite >= 0) throw unusable(values[infinite])
  if (method === 'min-max') return new Map(values.map((value, i) => [value, limits[i]]))

  const histograms = limits.map(range => new Histogram(range))
  await visit((numbers, i) => {
    if (method !== 'mse') return histograms[i].add(numbers)
    for (const image of partsOf(numbers, measuring.batchSize)) addByEnergy(histograms[i], image)
  })
  return new Map(values.map((value, i) => [value, rangeBy(method, histograms[i])]))
}

/** As many parts, one after another. */
const partsOf = (numbers: HostArray, count: number): HostArray[] =>
  Array.from({ length: count }, (_, i) => {
    const size = numbers.length / count
    return numbers.subarray(i * size, (i + 1) * size)
  })

/** The model's graph for so many images, with these values as its outputs, by their place in the list. */
function withOutputs(model: Model, values: readonly Value[], batchSize: number) {
  const builder = new GraphBuilder()
  const { mapped } = rewriteInto(builder, { ...model.graph, outputs: new Map() })
  values.forEach((value, i) => builder.output(String(i), mapped(value)))
  return setBatchSize(builder.build(), batchSize)
}

const unusable = ({ node }: Value): InvalidArgumentError =>
  new InvalidArgumentError(
    `activations of '${node.name}' are not all numbers: the model has been trained to nonsense, or its weights are damaged`,
  )
