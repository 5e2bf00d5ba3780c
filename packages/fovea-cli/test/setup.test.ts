/** @file Claims about `fovea setup`: it says which engine is ready and from where, and fails with the reason where none is. */

import { onednnStatus } from 'fovea-onednn'
import { expect, test } from 'vitest'
import { fovea } from './run-fovea.js'

const status = onednnStatus()

test.skipIf(!status.available)('it tells the engine and the file it is from', async () => {
  const { code, json, stderr } = await fovea(['setup', '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(json).toEqual([{ engine: 'onednn', detail: status.detail, ...(status.available && status.addon) }])
  const { stdout } = await fovea(['setup'])
  expect(stdout).toContain(`engine: ${status.detail}\naddon:  /`)
})

test('where no addon loads, it fails with the reason, and says that all the same there is an engine', async () => {
  const env = { FOVEA_ONEDNN_ADDON: '/nowhere/fovea_onednn.node' }
  const { code, json, stderr } = await fovea(['setup', '--json'], { env })
  expect(code).toBe(1)
  const problem = expect.stringContaining('/nowhere/fovea_onednn.node')
  expect(json).toEqual([{ engine: 'wasm', detail: expect.stringMatching(/^wasm /), problem }])
  expect(stderr).toMatch(
    /^fovea: only the engine in WebAssembly is ready: every command runs on it meanwhile, more slowly\. No native engine: .* there is no such file\n$/,
  )
})

test('what cannot be built is told with the command that gets what is missing', async () => {
  const { code, json, stderr } = await fovea(['setup', '--build', '--json'], { env: { CXX: 'no-such-compiler' } })
  const problem = "CXX is 'no-such-compiler', which cannot be run"
  expect(code).toBe(1)
  expect(JSON.stringify(json)).toContain(problem)
  expect(stderr).toContain(problem)
})
