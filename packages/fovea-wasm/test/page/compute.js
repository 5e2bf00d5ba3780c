/** @file What the engine is asked for in a page and in Node alike: plain JavaScript, as the page loads it as it stands. */

/**
 * Trains a small model on images of noise, and tells some of them apart.
 * @param {typeof import('fovea')} fovea
 * @param {import('fovea').Engine} engine
 * @returns what must be the same everywhere: probabilities, losses, a sum of the bits of all weights; and how long a step took, in ms
 */
export async function compute(
  { arrayDataset, createModel, predictProbabilities, train },
  engine,
  { batches = 2, batchSize = 64 } = {},
) {
  const size = 32 * 32 * 3
  const length = batches * batchSize
  const pixels = Uint8Array.from({ length: length * size }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 24) & 255)
  const labels = Array.from({ length }, (_, i) => i % 10)
  const classes = Array.from({ length: 10 }, (_, i) => `class ${i}`)
  const images = arrayDataset({ images: pixels, labels, imageShape: [32, 32, 3], classes })
  const model = createModel('resnet8', { input: [32, 32, 3], labels: classes, seed: 1 })
  const losses = []
  const times = []
  let before = performance.now()
  const run = await train(model, {
    ...{ data: { train: images, test: images }, epochs: 3, batchSize, engine, seed: 2 },
    ...{ optimizer: { type: 'sgd', momentum: 0.9 }, schedule: { type: 'one-cycle', peak: 0.05 } },
    onEpoch({ loss }) {
      losses.push(loss)
      times.push(performance.now() - before)
      before = performance.now()
    },
  })
  const probabilities = await predictProbabilities(run.model, pixels.slice(0, 8 * size), { engine })
  let bits = 0
  for (const name of Object.keys(run.model.weights).sort()) {
    for (const word of new Uint32Array(Float32Array.from(run.model.weights[name]).buffer))
      bits = (Math.imul(bits, 31) + word) >>> 0
  }
  return {
    description: engine.description,
    losses,
    probabilities: [...probabilities],
    bits,
    msPerEpoch: Math.min(...times),
  }
}
