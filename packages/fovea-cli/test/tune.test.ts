/** @file The recipe by which a model is trained on that was made of another: that of the original, or the one that is asked for. */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const original = join(folder, 'original')
let photos: string

async function run(...args: string[]): Promise<void> {
  const { code, stderr } = await fovea([...args, '--data', photos, '--epochs', '1', '--batch', '8'])
  expect(code, stderr).toBe(0)
}

const recipeIn = (run: string): string => JSON.parse(readFileSync(join(folder, run, 'run.json'), 'utf8')).request.recipe

beforeAll(async () => {
  photos = await colorFolder({ train: 16, val: 4 })
  await run('train', 'resnet8', '--recipe', 'keras', '--out', original)
})

test.each([
  ['that of its run', [], 'keras'],
  ['another', ['--recipe', 'paper'], 'paper'],
])('a pruned model is trained on by %s', async (name, options, recipe) => {
  const out = join(folder, name)
  await run('prune', original, '--amount', '0.3', ...options, '--out', out)
  expect(recipeIn(name)).toBe(recipe)
})

test('one in integers as well', async () => {
  await run('quantize', original, '--method', 'qat', '--out', join(folder, 'integers'))
  expect(recipeIn(join('integers', 'trained'))).toBe('keras')
})

test('a model of which no run tells, by that of its kind', async () => {
  const moved = join(folder, 'moved.safetensors')
  cpSync(join(original, 'model.safetensors'), moved)
  await run('prune', moved, '--amount', '0.3', '--out', join(folder, 'of-moved'))
  expect(recipeIn('of-moved')).toBe('one-cycle')
})

test('what is trained is how long, too', async () => {
  const { code, stderr } = await fovea(['prune', original, '--data', photos, '--amount', '0.3', '--recipe', 'keras'])
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('--epochs is missing: --recipe is about training the pruned model'),
  })
})
