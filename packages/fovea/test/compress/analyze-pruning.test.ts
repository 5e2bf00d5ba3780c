/** @file Claims about what single layers bear: each is measured without parts of it, all else as it was. */
import { expect, test } from 'vitest'
import { analyzePruning, prunedUnits } from '../../src/compress/analyze-pruning.js'
import { connectionNodes } from '../../src/compress/connections.js'
import { train } from '../../src/train/train.js'
import { stripeData } from '../train/patterns.js'
import { stripeModel, stripeRun } from '../train/small-model.js'

const { engine } = stripeRun
const { model } = await train(stripeModel, { ...stripeRun, epochs: 4 })
const images = stripeData.test

test.each(prunedUnits)(
  '%s: the more of a layer is gone, the less is recognized; with next to nothing gone, as much',
  async unit => {
    const points: string[] = []
    const analysis = await analyzePruning(model, {
      ...{ images, unit, engine, ratios: [0.001, 0.9] },
      onPoint: (done, of) => void points.push(`${done}/${of}`),
    })
    const { layers, accuracy } = analysis
    expect(accuracy).toBeGreaterThan(0.9)
    expect(points.at(-1)).toBe(`${2 * layers.length}/${2 * layers.length}`)
    for (const { name, accuracies } of layers) expect(accuracies[0], name).toBeCloseTo(accuracy, 1)
    expect(Math.min(...layers.map(({ accuracies }) => accuracies[1]))).toBeLessThan(accuracy - 0.1)
    if (unit === 'weights') expect(layers).toHaveLength(connectionNodes(model.graph).length)
  },
)

test.each([
  [{ ratios: [1] }, 'ratios.0: expected a number above 0 and below 1'],
  [{ unit: 'layers' }, "unit: unknown 'layers'"],
  [{ importance: 'taylor' }, "importance 'taylor' needs images"],
])('%j is refused', async (more, message) => {
  await expect(analyzePruning(model, { images, engine, ...more } as never)).rejects.toThrow(message)
})
