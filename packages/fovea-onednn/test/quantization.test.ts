/** @file Models whose weights are quantized, on the native engine: as on the reference engine, and widened once. */
import { expect, test } from 'vitest'
import { quantizeWeights, weightTypes } from '../../fovea/src/compress/quantize-weights.js'
import { referenceEngine } from '../../fovea/src/engines/reference/reference.js'
import { createModel } from '../../fovea/src/models/registry.js'
import { predictProbabilities } from '../../fovea/src/train/predict.js'
import { writeState } from '../../fovea/src/train/state.js'
import { evaluationGraph } from '../../fovea/src/train/training-graph.js'
import { type OnednnProgram, onednnEngine, onednnStatus } from '../src/index.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

const engine = onednnEngine({ threads: 2 })
const create = (name: string) => createModel(name, { classes: 4, input: [32, 32, 3] })
const resnet8 = create('resnet8')
const images = Uint8Array.from({ length: 3 * 32 * 32 * 3 }, (_, i) => (i * 89) % 256)

const cases = [...weightTypes.map(type => [type, resnet8] as const), ['int8', create('efficientnet-b0')] as const]

test.skipIf(!available).each(cases)(
  'weights of %s tell images apart as on the reference engine',
  async (type, model) => {
    const small = quantizeWeights(model, { type })
    const [expected, got] = await Promise.all(
      [referenceEngine(), engine].map(engine => predictProbabilities(small, images, { engine })),
    )
    expected.forEach((p, i) => {
      expect(got[i]).toBeCloseTo(p, 5)
    })
    const narrow = await predictProbabilities(small, images, { engine, precision: 'mixed_bfloat16' })
    narrow.forEach((p, i) => {
      expect(Math.abs(p - expected[i])).toBeLessThan(0.05)
    })
  },
)

test.skipIf(!available)('weights are widened at the first run after they are written, and not again', async () => {
  const small = quantizeWeights(resnet8)
  const graph = evaluationGraph(small.graph, 1)
  const program = (await engine.compile(graph)) as OnednnProgram
  await writeState(program, graph, small.weights)
  const feeds = { image: new Float32Array(32 * 32 * 3).fill(1) }
  await program.run(feeds)
  program.profiling = true
  await program.run(feeds)
  const widened = program.profile().filter(({ node }) => node.op === 'dequantize')
  expect(widened.length).toBe(graph.nodes.filter(({ op }) => op === 'dequantize').length)
  expect(widened.every(({ executions }) => executions.length === 0)).toBe(true)
  program.dispose()
})
