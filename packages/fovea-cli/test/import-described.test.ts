/** @file Claims about files that say which model they hold, which are ONNX files and our own, and of weights alone where they do not. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, encodeOnnx, encodeSafetensors } from 'fovea'
import { beforeAll, expect, test } from 'vitest'
import { readCheckpoint, readPretrained } from '../src/checkpoint-file.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const model = createModel('resnet8', { input: [24, 24, 3], classes: 3, seed: 4 })
const own = join(folder, 'own.onnx')
const foreign = join(folder, 'foreign.onnx')
let photo: string
let photos: string

beforeAll(async () => {
  photos = await colorFolder({ train: 4, val: 2 })
  photo = join(photos, 'val', 'red', '0.png')
  const bytes = Buffer.concat([encodeOnnx(model)].flat())
  writeFileSync(own, bytes)
  for (const key of ['preprocessing', 'labels', 'model']) bytes.write('x'.repeat(key.length), bytes.lastIndexOf(key))
  writeFileSync(foreign, bytes)
})

test('an ONNX file is imported, with what it does not say', async () => {
  const out = join(folder, 'named.safetensors')
  const args = ['--normalize', '0.5,0.5,0.5/0.2,0.2,0.2', '--labels', 'blue,green,red', '--out', out]
  const { code, stdout, stderr } = await fovea(['import', foreign, ...args])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.split('\n')[0]).toBe(
    `${foreign}: an ONNX file; foreign, 3 classes, images of 24×24×3, mean 0.5, 0.5, 0.5, deviation 0.2, 0.2, 0.2`,
  )
  const { labels, preprocessing } = readCheckpoint(out).model
  expect(labels).toEqual(['blue', 'green', 'red'])
  expect(preprocessing).toEqual({ size: [24, 24, 3], mean: [0.5, 0.5, 0.5], deviation: [0.2, 0.2, 0.2] })
  const normalize = args.slice(0, 2)
  const [direct, imported] = await Promise.all([
    fovea(['predict', foreign, photo, '--json', ...normalize]),
    fovea(['predict', out, photo, '--json']),
  ])
  const probabilities = ({ json }: typeof direct) =>
    json[0].predictions.map((row: { probability: number }) => row.probability)
  expect(probabilities(direct)).toEqual(probabilities(imported))
})

test.each([
  ['grey', { file: 'foreign.onnx', normalize: '0.5/0.2' }, 'for images of 1 channels; those of'],
  ['another model', { file: 'foreign.onnx', model: 'resnet20' }, 'holds a foreign, not a resnet20; leave out'],
])('%s is refused', (_, { file, ...options }, message) => {
  const output = { say: () => {}, warn: () => {} }
  expect(() => readPretrained(join(folder, file), options, output)).toThrow(message)
})

test('--normalize goes before what an ONNX file says, and a line says so', async () => {
  const { code, stderr, json } = await fovea([
    'predict',
    own,
    photo,
    '--normalize',
    '0.5,0.5,0.5/0.2,0.2,0.2',
    '--json',
  ])
  const told = `'${own}' says that images are normalized by mean 0.4914, 0.4822, 0.4465 and deviation 0.247, 0.2435, 0.2616: --normalize 0.5,0.5,0.5/0.2,0.2,0.2 is taken instead\n`
  expect({ code, stderr }).toEqual({ code: 0, stderr: told })
  const other = await fovea(['predict', foreign, photo, '--normalize', '0.5,0.5,0.5/0.2,0.2,0.2', '--json'])
  const probabilities = (predictions: readonly { readonly probability: number }[]) =>
    predictions.map(({ probability }) => probability)
  expect(probabilities(json[0].predictions)).toEqual(probabilities(other.json[0].predictions))
})

test('so are labels of another number, and another model, by the commands', async () => {
  const [imported, measured] = await Promise.all([
    fovea(['import', foreign, '--labels', 'a,b', '--out', 'x'], { cwd: folder }),
    fovea(['eval', own, '--data', photos, '--model', 'resnet20']),
  ])
  expect([imported.code, imported.stderr]).toEqual([
    1,
    expect.stringContaining('tells 3 classes apart, not 2 (--labels)'),
  ])
  expect(existsSync(join(folder, 'x'))).toBe(false)
  expect([measured.code, measured.stderr]).toEqual([
    1,
    expect.stringContaining('holds a resnet8, not a resnet20; leave out'),
  ])
})

test('for weights alone, a command that cannot be told their model says what makes one, or reads what config.json says', async () => {
  const path = join(folder, 'my weights')
  mkdirSync(path)
  const [tensors, types] = [new Map(), new Map(model.graph.nodes.map(({ name, outputs: [type] }) => [name, type]))]
  for (const [name, { buffer }] of model.weights) {
    const bytes = new Uint8Array(buffer as ArrayBuffer)
    tensors.set(name, { dtype: 'float32', shape: types.get(name)!.shape, bytes })
  }
  writeFileSync(join(path, 'model.safetensors'), Buffer.concat(encodeSafetensors({ tensors, metadata: {} })))
  const asked = () => fovea(['summary', 'my weights'], { cwd: folder })
  expect((await asked()).stderr).toContain("with npx fovea import 'my weights' --model MODEL --out model.safetensors")
  writeFileSync(join(path, 'config.json'), JSON.stringify({ architecture: 'resnet8', input_size: [3, 24, 24] }))
  expect((await asked()).stderr).toContain('resnet8, 3 classes (without names), images of 24×24×3')
  expect((await asked()).code).toBe(0)
})

test('a folder without a model is called so', async () => {
  mkdirSync(join(folder, 'empty'))
  const { code, stderr } = await fovea(['predict', 'empty', photo], { cwd: folder })
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining("'empty' is a folder without a model: it has no model.safetensors,"),
  ])
})
