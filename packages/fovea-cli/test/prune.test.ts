/** @file Claims about `fovea prune`: a smaller model, trained on, with an account that adds up; nothing of a user's is replaced. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel } from 'fovea'
import { beforeAll, describe, expect, test } from 'vitest'
import { readModel } from '../src/checkpoint-file.js'
import { saveModel } from '../src/index.js'
import { colorFolder, type Finished, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const file = join(folder, 'colors.safetensors')
const out = join(folder, 'pruned')
let photos: string

beforeAll(async () => {
  photos = await colorFolder({ train: 16, val: 4 })
  await saveModel(file, createModel('resnet8', { labels: ['blue', 'green', 'red'], input: [24, 24, 3] }))
})

describe('half of the multiply-adds, and two epochs', () => {
  let run: Finished

  beforeAll(async () => {
    const tuning = ['--epochs', '2', '--batch', '8']
    run = await fovea(['prune', file, '--data', photos, '--amount', '0.5', ...tuning, '--out', out, '--json'])
    expect(run.code, run.stderr).toBe(0)
  })

  test('says what it does, step by step, and ends with the account', () => {
    expect(run.json.map(({ event }) => event)).toEqual(['pruned', 'data', 'epoch', 'epoch', 'done', undefined])
    const { layers } = run.json[0]
    expect(layers).toContainEqual({ name: 'layer3.0.conv1.weight', channels: 64, kept: expect.any(Number) })
    const { before, after } = run.json[5]
    expect(after.multiplyAdds).toBeLessThanOrEqual(before.multiplyAdds / 2)
    expect(before).toMatchObject({ parameters: 77_731, kept: 77_731, removed: 0, fileBytes: statSync(file).size })
    expect(after.kept).toBe(after.parameters)
    expect(after.kept + after.removed).toBe(before.parameters)
    for (const one of [before, after]) {
      expect(one.latencyMs).toBeGreaterThan(0)
      expect(one.accuracy).toBeGreaterThanOrEqual(0)
    }
  })

  test('leaves a model with just those channels, a run that can be repeated, and the account', () => {
    const model = readModel(out)
    const { layers } = run.json[0] as { layers: { name: string; kept: number }[] }
    for (const { name, kept } of layers) {
      const { outputs } = model.graph.nodes.find(node => node.name === name)!
      expect(outputs[0].shape[0], name).toBe(kept)
    }
    expect(JSON.parse(readFileSync(join(out, 'pruning.json'), 'utf8'))).toEqual({ ...run.json[5], layers })
    expect(readFileSync(join(out, 'run.json'), 'utf8')).toContain('pruned.safetensors')
  })

  test('what it left is evaluated, and pruned again', async () => {
    const again = join(folder, 'again')
    const { code, json } = await fovea(['prune', out, '--data', photos, '--amount', '0.3', '--out', again, '--json'])
    expect(code).toBe(0)
    expect(json.at(-1).before.parameters).toBe(run.json[5].after.parameters)
    const { json: evaluated } = await fovea(['eval', again, '--data', photos, '--json'])
    expect(evaluated[0].accuracy).toBe(json.at(-1).after.accuracy)
  })

  test('a folder that holds a run is refused, and left as it was', async () => {
    const was = readFileSync(join(out, 'model.safetensors'))
    const { code, stderr } = await fovea(['prune', file, '--data', photos, '--amount', '0.5', '--out', out])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('--out') })
    expect(readFileSync(join(out, 'model.safetensors')).equals(was)).toBe(true)
  })
})

test.each([
  ['an account of somebody', 'pruning.json'],
  ['a model of somebody', 'pruned.safetensors'],
])('%s is not replaced', async (_, name) => {
  const other = temporaryFolder()
  writeFileSync(join(other, name), 'mine')
  const { code, stderr } = await fovea(['prune', file, '--data', photos, '--amount', '0.5', '--out', other])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining(`'${join(other, name)}' exists already`),
  })
})

test.each([
  [['--amount', '1'], 2, '--amount takes a number above 0 and below 1'],
  [['--amount', '0.99'], 1, 'would leave a layer without channels: at most'],
  [['--amount', '0.5', '--importance', 'l3'], 2, "unknown 'l3'"],
])('%j is refused in one line, and nothing is made', async (args, expected, message) => {
  const nowhere = join(folder, 'nowhere')
  const { code, stderr } = await fovea(['prune', file, '--data', photos, ...args, '--out', nowhere])
  expect({ code, stderr }).toEqual({ code: expected, stderr: expect.stringContaining(message) })
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(existsSync(nowhere)).toBe(false)
})
