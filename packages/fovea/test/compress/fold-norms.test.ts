/** @file Claims about models whose norms have gone into their convolutions; that they compute the same of float32 is in quantize-model.test.ts. */
import { expect, test } from 'vitest'
import { foldNorms } from '../../src/compress/fold-norms.js'
import { quantizeWeights } from '../../src/compress/quantize-weights.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import type { Model } from '../../src/models/model.js'
import { createModel } from '../../src/models/registry.js'
import { predictProbabilities } from '../../src/train/predict.js'
import { used } from '../formats/onnx/models.js'
import { noise } from './noise.js'

const engine = referenceEngine()
async function probabilities(model: Model): Promise<Float32Array> {
  const pixels = new Uint8Array(2 * 16 * 16 * 3)
  noise(model, 2).read([0, 1], pixels)
  return predictProbabilities(model, pixels, { engine })
}

test('weights in int8 stay int8: their scales take what norms multiply by, also what is below 0 or is 0', async () => {
  const model = used(createModel('resnet8', { classes: 4, input: [16, 16, 3] }))
  const [gamma] = [...model.weights].filter(([name]) => name === 'bn1.weight').map(([, values]) => values)
  gamma.set([-1.5, 0, -0.5])
  const integers = quantizeWeights(model)
  const folded = foldNorms(integers)
  const ops = folded.graph.nodes.map(({ op }) => op)
  expect(ops).not.toContain('foldedWeights')
  expect(ops).not.toContain('batchNorm')
  expect(ops.filter(op => op === 'dequantize')).toHaveLength(
    integers.graph.nodes.filter(({ op }) => op === 'dequantize').length,
  )
  const numbers = folded.weights.get('conv1.weight')!
  expect(numbers).toBeInstanceOf(Int8Array)
  const [before, perChannel] = [integers.weights.get('conv1.weight')!, 3 * 3 * 3]
  expect([...numbers.subarray(0, perChannel)]).toEqual([...before.subarray(0, perChannel)].map(value => 0 - value))
  expect(Math.min(...folded.weights.get('conv1.weight_scale')!)).toBeGreaterThan(0)
  const [a, b] = [await probabilities(integers), await probabilities(folded)]
  for (const [i, p] of a.entries()) expect(b[i]).toBeCloseTo(p, 5)
})
