/** @file The claim that `fovea prune` says where more goes than was asked for. */
import { join } from 'node:path'
import { createModel } from 'fovea'
import { expect, test } from 'vitest'
import { saveModel } from '../src/index.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

test('what goes beside what was asked for is said, with what comes closer', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'colors.safetensors')
  const photos = await colorFolder({ train: 8, val: 2 })
  await saveModel(file, createModel('resnet8', { labels: ['blue', 'green', 'red'], input: [16, 16, 3] }))
  const args = ['--amount', '0.05', '--multiple-of', '32', '--out', join(folder, 'less')]
  const { code, stderr } = await fovea(['prune', file, '--data', photos, ...args])
  expect(code).toBe(0)
  expect(stderr).toMatch(/\d\d\.\d % of the multiply-adds go, where --amount 0.05 was asked for: .*--multiple-of/)
})
