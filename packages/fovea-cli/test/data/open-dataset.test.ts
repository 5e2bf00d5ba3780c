/** @file Claims about what is given as `--data`: names, folders and packed files, and what is known before images are decoded. */
import { existsSync } from 'node:fs'
import { InvalidArgumentError } from 'fovea'
import { expect, it } from 'vitest'
import { packImageFolder } from '../../src/data/image-folder.js'
import { findDataset, openDataset } from '../../src/data/open-dataset.js'
import { fill as fillWith } from './flat-images.js'
import { temporaryFolder } from './temporary-folder.js'

const temporary = temporaryFolder()
const fill = (folder: string, from: number, to: number): void => fillWith(temporary, folder, from, to)
const options = (more = {}) => ({ cache: temporary.path('cache'), ...more })

it('opens names, folders and packed files', async () => {
  fill('photos/a', 0, 5)
  fill('photos/b', 5, 10)
  const folder = await openDataset(temporary.path('photos'), options())
  const packed = temporary.path('my.fovea-data')
  expect((await packImageFolder(temporary.path('photos'), packed)).splits.train.count).toBe(8)
  expect((await openDataset(packed)).train.fingerprint).toBe(folder.train.fingerprint)
  expect((await openDataset('fashion-mnist', options())).train.length).toBe(10_000)
})

it('knows the classes and the shape of the images before any is decoded', async () => {
  for (const name of ['a', 'b']) {
    fill(`photos/${name}`, 0, 1)
    temporary.write(`photos/${name}/bad.png`, 'no image')
  }
  const photos = temporary.path('photos')
  const known = { name: 'photos', imageShape: [8, 6, 1], classes: ['a', 'b'] }
  const found = await findDataset(photos, options({ defaultSize: [8, 6], channels: 1, skipBad: true }))
  expect(found).toMatchObject(known)
  expect(existsSync(temporary.path('cache'))).toBe(false)
  const packed = temporary.path('my.fovea-data')
  fill('photos/a', 2, 5)
  fill('photos/b', 2, 5)
  await packImageFolder(photos, packed, { size: [8, 6], channels: 1, skipBad: true })
  expect(await findDataset(packed)).toMatchObject(known)
  expect(await findDataset('cifar10')).toMatchObject({ imageShape: [32, 32, 3], classes: { length: 10 } })
  expect(await findDataset('fashion-mnist')).toMatchObject({ imageShape: [28, 28, 1], classes: { length: 10 } })
})

it('refuses a size that the images do not have, where they are decoded already', async () => {
  fill('photos/a', 0, 5)
  fill('photos/b', 5, 10)
  const packed = temporary.path('my.fovea-data')
  await packImageFolder(temporary.path('photos'), packed)
  for (const [spec, has] of [
    ['cifar10', '32×32'],
    ['fashion-mnist', '28×28'],
    [packed, '12×12'],
  ]) {
    const error = await openDataset(spec, options({ size: 64 })).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(InvalidArgumentError)
    expect(String(error)).toContain(`'${spec}' has images of ${has}, not 64×64: a size (--size) is for folders`)
  }
  expect((await openDataset(packed, options({ size: 12 }))).train.length).toBe(8)
  expect((await openDataset(packed, options({ defaultSize: [64, 64] }))).train.length).toBe(8)
})

it('says what there is when there is nothing of that name', async () => {
  await expect(openDataset('cifar-10')).rejects.toThrow(
    "no data set, folder or file 'cifar-10'. Did you mean cifar10? Known: cifar10, fashion-mnist, a folder of images",
  )
  const zip = temporary.write('photos.zip', 'PK')
  await expect(openDataset(zip)).rejects.toThrow(/photos\.zip' is not a packed data set; unpack it and name the folder/)
})
