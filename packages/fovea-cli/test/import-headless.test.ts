/** @file Claims about weights whose classifier was cut off, on the command line: a training starts from them, and nothing else does. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, encodeSafetensors } from 'fovea'
import { beforeAll, expect, test } from 'vitest'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const file = join(folder, 'backbone.safetensors')
let photos: string

beforeAll(async () => {
  const { graph, weights } = createModel('resnet8', { input: [16, 16, 3] })
  const types = new Map(graph.nodes.map(({ name, outputs: [{ shape }] }) => [name, shape]))
  const backbone = [...weights].filter(([name]) => !name.startsWith('fc.'))
  const tensors = new Map(
    backbone.map(([name, { buffer }]) => {
      return [
        name,
        { dtype: 'float32' as const, shape: types.get(name)!, bytes: new Uint8Array(buffer as ArrayBuffer) },
      ]
    }),
  )
  writeFileSync(file, Buffer.concat(encodeSafetensors({ tensors, metadata: {} })))
  photos = await colorFolder({ train: 8, val: 2 }, join(folder, 'photos'))
})

test('train starts from them, and says so', async () => {
  const out = join(folder, 'run')
  const args = ['--from', file, '--data', photos, '--epochs', '1', '--batch', '8', '--out', out]
  const { code, stderr } = await fovea(['train', 'resnet8', ...args])
  expect(code, stderr).toBe(0)
  expect(stderr).toContain(`${file}: it has no classifier: a new one has to be trained`)
})

test('they make no model, and the message says what they are good for', async () => {
  const { code, stderr } = await fovea(['import', file, '--model', 'resnet8', '--out', join(folder, 'none')])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `fovea: '${file}' does not fit resnet8: it has no classifier: a training of other classes can start from it (train --from), nothing else\n`,
  })
})
