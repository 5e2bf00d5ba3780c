/** @file Claims about weights of timm whose configuration says that their network came from TensorFlow. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, encodeWeights } from 'fovea'
import { expect, test } from 'vitest'
import { readPretrained } from '../src/checkpoint-file.js'
import { temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()

test("timm's tf_ networks are padded as in TensorFlow", () => {
  const weights = encodeWeights(createModel('efficientnet-b0', { classes: 2 }), { names: 'timm' })
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat(weights))
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ architecture: 'tf_efficientnet_b0', num_classes: 2 }))
  const { graph } = readPretrained(folder, {}, { say: () => {}, warn: () => {} })
  const [stem] = graph.nodes.filter(({ op }) => op === 'conv2d')
  const [norm] = graph.nodes.filter(({ op }) => op === 'batchNorm')
  expect([stem.attrs['padding'], norm.attrs['epsilon']]).toEqual([[0, 1, 0, 1], 1e-3])
})
