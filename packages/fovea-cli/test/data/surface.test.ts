/** @file Claims about what is given to the command's library in plain JavaScript: none ends in an accident, or in silence. */
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createModel } from 'fovea'
import { describe, expect, test } from 'vitest'
import { type Argument, expectRefusals, functionsOf, options, required } from '../../../fovea/test/surface/mistakes.js'
import { loose, refused } from '../../../fovea/test/surface/refused.js'
import * as data from '../../src/data/index.js'
import * as models from '../../src/index.js'
import { colorFolder, temporaryFolder } from '../run-fovea.js'

const folder = temporaryFolder()
const absent = required(join(folder, 'absent'))
const model = required(createModel('resnet8'))

/** Right arguments of every function. */
const calls: Readonly<Record<string, readonly Argument[]>> = {
  cacheFolder: [options()],
  cifar10: [options()],
  decodeImage: [absent, required([8, 8, 3])],
  decodeImages: [required([], 'an empty list', 'a list of texts'), required([8, 8, 3])],
  fashionMnist: [options()],
  findDataset: [required('fashion-mnist'), options()],
  imageFolder: [absent, options()],
  imageSize: [absent],
  loadModel: [absent],
  openDataset: [required('fashion-mnist'), options()],
  openPacked: [absent],
  packImageFolder: [absent, absent, options()],
  readManifest: [absent],
  saveModel: [required(join(folder, 'model.safetensors'), 'a text'), model, options()],
}

/** What messages are made of. */
const wording = ['formatEndings']

const exported = new Map<string, unknown>(Object.entries({ ...data, ...models }))

test('the table has every function', () => {
  expect([...Object.keys(calls), ...wording].sort()).toEqual([...functionsOf(data), ...functionsOf(models)].sort())
})

describe('whatever is given in the place of an argument is refused in words', () => {
  test.each(Object.entries(calls))('%s', (name, given) => expectRefusals(exported.get(name), given))
})

describe('what is wrong is named', () => {
  const photos = (given: object) => () => loose(data.imageFolder)(folder, given)
  test.each<[string, () => unknown, string]>([
    ['a misspelt option', photos({ skipbad: true }), "skipbad: unknown option; did you mean 'skipBad'?"],
    [
      'a size in words',
      photos({ size: '32x32' }),
      "size: expected the pixels of a square, or [height, width], got '32x32'",
    ],
    ['half a size', photos({ size: [32, Number.NaN] }), 'size.1: expected a whole number from 1 to 4,096, got NaN'],
    ['a size too large', photos({ size: 5000 }), 'size: expected a whole number from 1 to 4,096, got 5000'],
    ['two channels', photos({ channels: 2 }), 'channels: expected 3 (RGB) or 1 (grey), got 2'],
    ['per cent', photos({ heldOut: 20 }), 'heldOut: expected a number above 0 and below 1, got 20'],
    [
      'a controller',
      photos({ signal: new AbortController() }),
      "signal: expected an AbortController's signal, got an AbortController",
    ],
    [
      'an address alone',
      () => loose(data.cifar10)({ archive: 'https://localhost/cifar-10-binary.tar.gz' }),
      'archive: expected { url, sha256, bytes }',
    ],
    [
      'an option of folders',
      () => loose(data.fashionMnist)({ size: 28 }),
      'size: unknown option; known: cache, folder',
    ],
    [
      'an option of another function',
      async () => (await data.findDataset('fashion-mnist')).open({ size: 28 } as object),
      'size: unknown option',
    ],
    [
      'the arguments the other way round',
      () => loose(models.saveModel)(createModel('resnet8'), 'model.safetensors'),
      'path: expected a text, got { name, graph',
    ],
    [
      'a run for its model',
      () => loose(models.saveModel)('model.safetensors', { model: createModel('resnet8') }),
      'model: expected a model',
    ],
  ])('%s', (_, call, message) => refused(call, message))
})

test('packImageFolder replaces no file unless it is told to', async () => {
  const [photos, path] = ['photos', 'photos.fovea-data'].map(name => join(folder, name))
  await colorFolder({ train: 2, val: 1 }, photos)
  writeFileSync(path, 'mine')
  await expect(data.packImageFolder(photos, path)).rejects.toThrow(
    `'${path}' exists already: choose another path, or give { overwrite: true } to replace it`,
  )
  expect(await readFile(path, 'utf8')).toBe('mine')
  expect(await data.packImageFolder(photos, path, { overwrite: true, size: 8 })).toMatchObject({
    imageShape: [8, 8, 3],
  })
})
