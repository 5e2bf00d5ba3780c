/** @file `fovea prune --iterations`: channels go in parts, with training after each, and a run that is killed goes on. */
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, graphMultiplyAdds } from 'fovea'
import { expect, test } from 'vitest'
import { readModel } from '../src/checkpoint-file.js'
import { saveModel } from '../src/index.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

test('half of the multiply-adds go in two iterations, each trained; one that is lost is done again, and no other', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'colors.safetensors')
  const photos = await colorFolder({ train: 16, val: 4 })
  await saveModel(file, createModel('resnet8', { labels: ['blue', 'green', 'red'], input: [8, 8, 3] }))
  const path = join(folder, 'iterated')
  const args = ['--amount', '0.5', '--iterations', '2', '--epochs', '1', '--batch', '8']
  const { code, json, stderr } = await fovea(['prune', file, '--data', photos, ...args, '--out', path, '--json'])
  expect(code, stderr).toBe(0)
  const events = json.map(({ event }) => event)
  expect(events).toEqual(['pruned', 'data', 'epoch', 'done', 'pruned', 'data', 'epoch', 'done', undefined])
  const multiplyAdds = (of: string): number => graphMultiplyAdds(readModel(of).graph)
  const first = join(path, 'iterations', '1')
  const [whole, half, less] = [file, first, path].map(multiplyAdds)
  expect(half / whole).toBeLessThanOrEqual(0.75)
  expect(half / whole).toBeGreaterThan(0.6)
  expect(less / whole).toBeLessThanOrEqual(0.5)
  const { layers, before, after } = JSON.parse(readFileSync(join(path, 'account.json'), 'utf8'))
  expect(layers).toContainEqual({ name: 'layer3.0.conv1.weight', channels: 64, kept: expect.any(Number) })
  expect(after.kept + after.removed).toBe(before.parameters)
  expect(JSON.parse(readFileSync(join(path, 'run.json'), 'utf8')).request.from).toBe(join(path, 'pruned'))

  // As it is left by a run that is killed in its second training.
  const killed = join(folder, 'killed')
  cpSync(path, killed, { recursive: true })
  for (const name of readdirSync(killed)) {
    if (!['iterations', 'prune.json'].includes(name)) rmSync(join(killed, name), { recursive: true })
  }
  const again = await fovea(['prune', '--resume', killed, '--json'])
  expect(again.code, again.stderr).toBe(0)
  expect(again.json.map(({ event }) => event)).toEqual(['pruned', 'data', 'epoch', 'done', undefined])
  expect(readModel(killed).weights).toEqual(readModel(path).weights)
})
