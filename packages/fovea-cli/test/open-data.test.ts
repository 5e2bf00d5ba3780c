/** @file Claims about what is told of data and taken of it, before anything is trained. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { arrayDataset, type Dataset } from 'fovea'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { type AboutData, sayAboutData } from '../src/about-data.js'
import { limitedTo } from '../src/open-data.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const images = (...counts: readonly number[]): Dataset => {
  const labels = counts.flatMap((count, label) => Array.from({ length: count }, () => label))
  return arrayDataset({
    images: new Uint8Array(labels.length),
    labels,
    imageShape: [1, 1, 1],
    classes: ['a', 'b', 'c'],
  })
}
const histogram = ({ labels }: Dataset): number[] => [0, 1, 2].map(c => labels.filter(label => label === c).length)

test('a limit leaves an image of every class in every split', () => {
  const data = { train: images(100, 3, 3), validation: images(20, 1, 1), test: images(40, 0, 2) }
  const { train, validation, test } = limitedTo(8, data)
  expect([train, validation as Dataset, test].map(histogram)).toEqual([
    [6, 1, 1],
    [1, 1, 1],
    [2, 0, 1],
  ])
})

test('a limit that would empty a class is refused by the option', async () => {
  const photos = await colorFolder({ train: 2, val: 1 })
  const args = ['train', 'cnn', '--data', photos, '--epochs', '1', '--limit', '2', '--out', `${temporaryFolder()}/run`]
  const { code, stderr } = await fovea(args)
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(
      /^(.*\n)?fovea: --limit: 2 images of data set '.*' cannot be of all its 3 classes \('blue', 'green', 'red'\); take 3 or more\n$/,
    ),
  })
})

test('images that are too small for a model are refused with the size that it takes, which works when typed', async () => {
  const folder = temporaryFolder()
  const grey = { channels: 3, background: 'grey' } as const
  const small = await sharp({ create: { width: 20, height: 20, ...grey } })
    .png()
    .toBuffer()
  for (const name of ['cat/0.png', 'cat/1.png', 'dog/0.png', 'dog/1.png']) {
    mkdirSync(dirname(join(folder, 'photos', name)), { recursive: true })
    writeFileSync(join(folder, 'photos', name), small)
  }
  const photos = join(folder, 'photos')
  const packed = join(folder, 'photos.fovea')
  const run = (...args: string[]) => fovea([...args, '--batch', '2', '--explain'])
  const problem = 'images of 20×20 are too small for cnn, which is made for 32×32'
  const refused = await run('train', 'cnn', '--data', photos)
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`fovea: ${problem}; give --size 32\n`) })
  expect(await run('train', 'cnn', '--data', photos, '--size', '32')).toMatchObject({ code: 0 })
  expect((await fovea(['data', 'pack', photos, '--out', packed])).code).toBe(0)
  const { stderr } = await run('train', 'cnn', '--data', packed)
  expect(stderr).toContain(`fovea: ${problem}; pack them again with --size 32\n`)
})

const said = (about: AboutData): string[] => {
  const lines: string[] = []
  sayAboutData('photos', about, {
    json: false,
    say: (...words) => void lines.push(words.join('')),
    show() {},
    result() {},
    warn() {},
  })
  return lines
}

const facts: AboutData['facts'] = {
  sources: { train: { folder: 'train' }, test: { folder: 'valid' } },
  ...{ unused: [], leftOut: {}, joined: [], smallest: [24, 24], largest: [24, 24], enlarged: 0, repeated: {} },
}
const about: AboutData = {
  imageShape: [24, 24, 3],
  classes: ['cat', 'dog'],
  images: { train: 1640, test: 80 },
  sizeFrom: 'median',
  facts,
}

test('a folder that is used as it lies there is told of in two lines, a data set with a name in none', () => {
  expect(said(about)).toEqual([
    'photos: 1,640 images to train on (train), 80 held out (valid); classes: cat, dog',
    '  size 24×24, the median of their shorter sides (all are 24×24)',
  ])
  const { facts: _, ...named } = about
  expect(said(named)).toEqual([])
})

test('what is not used as it lies there is told of, a line for each kind', () => {
  const classes = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const lines = said({
    ...{ imageShape: [224, 224, 3], classes, images: { train: 512, validation: 128, test: 80 }, sizeFrom: 'most' },
    facts: {
      sources: { train: { folder: 'train' }, validation: { folder: 'train', heldOut: 0.2 }, test: { folder: 'test' } },
      unused: [
        { folder: 'extra', images: 1200, why: "beside 'train'" },
        { folder: '', images: 1, why: 'beside the class folders' },
      ],
      leftOut: { '.txt': 21, '.heic': 40, '': 1 },
      joined: [['train/é', 'test/é']],
      ...{ smallest: [1, 1], largest: [3024, 4032], enlarged: 2 },
      repeated: {
        acrossSplits: { images: 3, example: ['train/a/1.jpg', 'test/a/9.jpg'] },
        acrossClasses: { images: 1, example: ['train/a/1.jpg', 'train/b/1.jpg'] },
      },
    },
  })
  expect(lines).toEqual([
    'photos: 512 images to train on (train), 128 measured after each epoch (20 % of each class of train), ' +
      '80 at the end (test); classes: a, b, c, d, e, and 2 more',
    '  size 224×224, the most without --size (they are 1×1 to 4032×3024, 2 images enlarged)',
    '  left out, as no images that can be read: 40 .heic, 21 .txt, 1 without an ending; convert HEIC to JPEG',
    "  not used: 'extra' (1,200 images, beside 'train'), '.' (1 image, beside the class folders)",
    "  one class, its name written in several ways (Unicode normal forms): 'train/é', 'test/é'",
    "  the same image in two splits, which makes a model look better than it is: 3, such as 'train/a/1.jpg' and 'test/a/9.jpg'",
    "  the same image in two classes: 1, such as 'train/a/1.jpg' and 'train/b/1.jpg'",
  ])
})
