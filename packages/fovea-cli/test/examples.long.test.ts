/** @file The examples of the pages, as they stand there; readme.test.ts runs them for a shorter time. */
import { onednnStatus } from 'fovea-onednn'
import { expect, test } from 'vitest'
import { learned } from './run-example.js'

test.skipIf(!onednnStatus().available).each(['train.mjs', 'keras.mjs'])('examples/%s learns', file => {
  const { text, accuracy } = learned(file)
  expect(accuracy, text).toBeGreaterThan(75)
})
