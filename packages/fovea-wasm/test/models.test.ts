/**
 * @file Claims about whole models in WebAssembly: those of torchvision agree with its results, the others tell images apart as on
 * the reference engine, in floats and in integers. models.long.test.ts has the models that take longest.
 */
import { expect, test } from 'vitest'
import { quantizeModel } from '../../fovea/src/compress/quantize-model.js'
import { referenceEngine } from '../../fovea/src/engines/reference/reference.js'
import { createModel, modelNames } from '../../fovea/src/models/registry.js'
import { predictProbabilities } from '../../fovea/src/train/predict.js'
import { noise } from '../../fovea/test/compress/noise.js'
import { agreeInFloat32, deep, files } from '../../fovea/test/parity/torchvision.js'
import { wasmEngine } from '../src/index.js'

const engine = wasmEngine({ threads: 2, simd: 'plain' })
const create = (name: string) => createModel(name, { classes: 4, input: [32, 32, 3], seed: 3 })

/** The farthest that probabilities of some images are from those of the reference engine. */
async function distanceOf(model: ReturnType<typeof create>): Promise<number> {
  const images = new Uint8Array(3 * 32 * 32 * 3)
  noise(model, 3).read([0, 1, 2], images)
  const [expected, actual] = await Promise.all(
    [referenceEngine(), engine].map(engine => predictProbabilities(model, images, { engine })),
  )
  return expected.reduce((most, p, i) => Math.max(most, Math.abs(p - actual[i])), 0)
}

const torchvisions = files.map(name => name.replace(/(_train)?\.json$/, '').replace('_', '-'))
const others = modelNames.filter(name => !torchvisions.includes(name))

test.each(others)('%s tells images apart as on the reference engine', async name => {
  expect(await distanceOf(create(name))).toBeLessThan(1e-5)
})

/** The last bits of SiLU may differ, so that one is rounded to the neighbouring integer. */
const nearly: Readonly<Record<string, number>> = { 'efficientnet-b0': 0.01 }

test.each(['resnet8', 'efficientnet-b0', 'cnn'])('%s in integers does so too, with the same integers', async name => {
  const model = create(name)
  const { model: integers } = await quantizeModel(model, { images: noise(model, 8), engine })
  expect(await distanceOf(integers)).toBeLessThanOrEqual(nearly[name] ?? 0)
})

agreeInFloat32(
  'WebAssembly',
  () => engine,
  files.filter(name => !deep.test(name)),
)
