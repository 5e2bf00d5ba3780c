/** @file As killed.test.ts, more often, and with dropout and stochastic depth. */
import { onednnStatus } from 'fovea-onednn'
import { describe, test } from 'vitest'
import { killAndGoOn } from './kill-runs.js'

describe.each([
  { model: 'resnet8', kills: 40, length: { epochs: 6, limit: 30 } },
  { model: 'efficientnet-b0', kills: 5, length: { epochs: 3, limit: 12 } },
])('$model', ({ model, kills, length }) => {
  const possible = model === 'resnet8' || onednnStatus().available

  test.runIf(possible)(`killed ${kills} times ends with the bits of one that never stopped`, async ({ annotate }) => {
    await annotate(await killAndGoOn(model, kills, length))
  })
})
