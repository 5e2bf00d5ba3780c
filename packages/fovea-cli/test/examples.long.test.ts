/** @file Real images are learned, by the examples of the pages and by the command; tests of the suite do it for a shorter time. */
import { join } from 'node:path'
import { onednnStatus } from 'fovea-onednn'
import { expect, test } from 'vitest'
import { learned } from './run-example.js'
import { fovea, temporaryFolder } from './run-fovea.js'

test.skipIf(!onednnStatus().available).each(['train.mjs', 'keras.mjs'])('examples/%s learns', file => {
  const { text, accuracy } = learned(file)
  expect(accuracy, text).toBeGreaterThan(75)
})

test('fovea train learns three in four of 2,000 photos of clothes after four passes', async () => {
  const args = ['--data', 'fashion-mnist', '--limit', '2000', '--epochs', '4', '--batch', '32']
  const { code, json } = await fovea(['train', 'resnet8', ...args, '--out', join(temporaryFolder(), 'run'), '--json'], {
    env: { FOVEA_DATA: temporaryFolder() },
  })
  expect(code).toBe(0)
  expect(json.at(-1).testAccuracy).toBeGreaterThan(0.75)
})
