/** @file Claims about folders of images: splits, classes, sizes, bad images, and when they are decoded again. */
import { mkdirSync, readdirSync, symlinkSync, truncateSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { Dataset } from 'fovea'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import { imageFolder } from '../../src/data/image-folder.js'
import { fill as fillWith, flat, levels } from './flat-images.js'
import { temporaryFolder } from './temporary-folder.js'

const temporary = temporaryFolder()
const fill = (folder: string, from: number, to: number): void => fillWith(temporary, folder, from, to)
const options = (more = {}) => ({ cache: temporary.path('cache'), ...more })

it('reads train, validation and test folders, classes and images sorted by name, other files ignored', async () => {
  fill('photos/train/dog', 0, 3)
  fill('photos/train/cat', 3, 5)
  fill('photos/val/dog', 8, 10)
  fill('photos/test/cat', 5, 6)
  fill('photos/test/dog', 6, 8)
  temporary.write('photos/train/cat/notes.txt', 'x')
  temporary.write('photos/.DS_Store', 'x')
  const { train, validation, test, facts } = await imageFolder(temporary.path('photos'), options())
  expect(train.classes).toEqual(['cat', 'dog'])
  expect(train.imageShape).toEqual([12, 12, 3])
  expect(train.name).toBe('photos/train')
  expect([...train.labels]).toEqual([0, 0, 1, 1, 1])
  expect(levels(train)).toEqual([3, 4, 0, 1, 2])
  expect(validation?.name).toBe('photos/validation')
  expect(levels(validation as Dataset)).toEqual([8, 9])
  expect(levels(test)).toEqual([5, 6, 7])
  expect(facts).toMatchObject({ sources: { validation: { folder: 'val' } }, leftOut: { '.txt': 1 } })
})

it('splits one level of classes: each class in proportion, no image lost or in both, the same every time', async () => {
  fill('photos/a', 0, 10)
  fill('photos/b', 10, 15)
  const { train, test } = await imageFolder(temporary.path('photos'), options({ size: 4 }))
  expect([...test.labels]).toEqual([0, 0, 1])
  expect([...levels(train), ...levels(test)].sort((x, y) => x - y)).toEqual(Array.from({ length: 15 }, (_, i) => i))
  const again = await imageFolder(temporary.path('photos'), { cache: temporary.path('other'), size: [4, 4] })
  expect(levels(again.test)).toEqual(levels(test))
  const other = await imageFolder(temporary.path('photos'), options({ size: 4, splitSeed: 1 }))
  expect(levels(other.test)).not.toEqual(levels(test))
})

it('follows links, and takes a folder named train for a class where it holds images', async () => {
  fill('elsewhere', 0, 4)
  fill('photos/train', 4, 8)
  symlinkSync(temporary.path('elsewhere'), temporary.path('photos', 'car'))
  const { train, test } = await imageFolder(temporary.path('photos'), options())
  expect(train.classes).toEqual(['car', 'train'])
  expect(train.length + test.length).toBe(8)
})

it('decodes once: again only when a file, the options or the packed file changed', async () => {
  fill('photos/a', 0, 4)
  fill('photos/b', 4, 8)
  const folder = temporary.path('photos')
  let decodedImages = 0
  const notices: string[] = []
  const load = async (more = {}) => {
    decodedImages = 0
    notices.length = 0
    const onProgress = ({ done }: { done: number }): void => {
      decodedImages = done
    }
    await imageFolder(folder, options({ onProgress, onNotice: (m: string) => notices.push(m), ...more }))
    return decodedImages
  }
  expect(await load()).toBe(8)
  expect(await load()).toBe(0)
  expect(await load({ size: 6 })).toBe(8)
  utimesSync(join(folder, 'a/00.png'), 1, 1)
  expect(await load()).toBe(8)
  expect(notices[0]).toContain('has changed')
  expect(await load()).toBe(0)
  fill('photos/a', 8, 9)
  expect(await load()).toBe(9)
  for (const file of readdirSync(temporary.path('cache'))) truncateSync(temporary.path('cache', file), 100)
  expect(await load()).toBe(9)
  expect(notices[0]).toMatch(/is damaged: it was cut short.*decoding the images again/)
  expect(readdirSync(temporary.path('cache'))).toHaveLength(2)
})

const sized = async (path: string, width: number, height: number): Promise<void> => {
  const [r, g, b] = [width, height, width * height].map(value => value % 256)
  const image = sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
  temporary.write(path, await image.png().toBuffer())
}

it('takes the size that is typical, not that of the first image, and says so', async () => {
  for (let i = 0; i < 6; i++) await sized(`photos/${'ab'[i % 2]}/${i}.png`, 64 + i, 48 + i)
  await sized('photos/a/0-thumbnail.png', 12, 12)
  await sized('photos/a/00-spacer.png', 1, 1)
  temporary.write('photos/a/000.png', 'no image')
  const load = (more = {}) => imageFolder(temporary.path('photos'), options({ skipBad: true, ...more }))
  const data = await load()
  expect(data.train.imageShape).toEqual([49, 49, 3])
  expect(data.sizeFrom).toBe('median')
  expect(data.facts).toMatchObject({ smallest: [1, 1], largest: [53, 69], enlarged: 3 })
  for (const [asked, side, sizeFrom] of [
    [{ maxSize: 40 }, 40, 'most'],
    [{ defaultSize: [30, 30] }, 30, 'model'],
    [{ size: 20 }, 20, 'asked'],
  ] as const) {
    for (let again = 0; again < 2; again++) {
      expect(await load(asked)).toMatchObject({ train: { imageShape: [side, side, 3] }, sizeFrom })
    }
  }
})

it('says which images are in two splits, and which in two classes', async () => {
  const say = async () => (await imageFolder(temporary.path('photos'), options())).facts?.repeated
  fill('photos/train/a', 0, 4)
  fill('photos/train/b', 4, 8)
  fill('photos/val/a', 8, 10)
  fill('photos/val/b', 10, 12)
  expect(await say()).toEqual({})
  fill('photos/train/a/copies', 0, 2) // In one class and one split, they are no harm.
  expect(await say()).toEqual({})
  fill('photos/val/a', 2, 4)
  fill('photos/train/b', 3, 4)
  expect(await say()).toEqual({
    acrossSplits: { images: 2, example: [join('train', 'a', '02.png'), join('val', 'a', '02.png')] },
    acrossClasses: { images: 1, example: [join('train', 'a', '03.png'), join('train', 'b', '03.png')] },
  })
})

it('names and counts bad images, leaves no packed file, and skips them only when asked', async () => {
  fill('photos/a', 0, 5)
  fill('photos/b', 5, 10)
  temporary.write('photos/a/bad.jpg', 'no image')
  temporary.write('photos/b/cut.png', flat[5].subarray(0, 60))
  const folder = temporary.path('photos')
  const error = await imageFolder(folder, options()).catch((e: unknown) => e)
  expect(String(error)).toMatch(
    /FormatError: 2 of 12 images that cannot be read: .*bad\.jpg' is not .*cut\.png' cannot/,
  )
  expect(String(error)).toContain('--skip-bad')
  expect(readdirSync(temporary.path('cache'))).toEqual([])
  const notices: string[] = []
  const load = () => imageFolder(folder, options({ skipBad: true, onNotice: (m: string) => notices.push(m) }))
  const { train, test } = await load()
  expect(train.length + test.length).toBe(10)
  expect(notices[0]).toMatch(/^left out 2 of 12 images that cannot be read: .*bad\.jpg/)
  notices.length = 0
  await load()
  expect(notices).toEqual([
    expect.stringMatching(/^left out 2 of 12 images that cannot be read: a\/bad\.jpg; b\/cut\.png/),
  ])
  await expect(imageFolder(folder, options())).rejects.toThrow('2 of 12')
})

it('does not skip a class away: each keeps a training image, and the test split one', async () => {
  const bad = (...names: string[]) => {
    for (const name of names) temporary.write(`photos/${name}.png`, 'no image')
  }
  const load = () => imageFolder(temporary.path('photos'), options({ skipBad: true }))
  fill('photos/train/a', 0, 3)
  fill('photos/train/b', 3, 4)
  bad('train/b/x', 'train/c/x', 'train/c/y', 'val/a/x')
  fill('photos/val/b', 4, 5)
  await expect(load()).rejects.toThrow(
    /^class 'c' has no training images left: 2 were left out that cannot be read: .*c\/x\.png.*c\/y\.png.*; repair some/,
  )
  expect(readdirSync(temporary.path('cache'))).toEqual([])
  fill('photos/train/c', 5, 6)
  expect((await load()).test.length).toBe(1)
  bad('val/b/04')
  await expect(load()).rejects.toThrow(
    /^the test split has no images left: 2 were left out that cannot be read: .*val\/a\/x\.png.*val\/b\/04\.png/,
  )
})

it.each([
  ['absent', () => {}, /there is no data folder '.*photos'/],
  ['a file', () => void temporary.write('photos', 'x'), /is a file, not a folder of images/],
  [
    'empty',
    () => void mkdirSync(temporary.path('photos')),
    /no images in '.*photos': expected a folder for each class/,
  ],
  [
    'of empty classes',
    () => void mkdirSync(temporary.path('photos/a'), { recursive: true }),
    /no images in '.*photos'/,
  ],
  [
    'of images without classes',
    () => fill('photos', 0, 3),
    /'.*photos' holds 3 images but no class folders: put them into a folder for each class, as in '.*photos\/cat\/1\.jpg'/,
  ],
  [
    'of one image in a split without classes',
    () => {
      fill('photos/train', 0, 1)
      fill('photos/test', 1, 3)
    },
    /'.*photos\/train' holds 1 image but no class folders.*'.*photos\/train\/cat\/1\.jpg'/,
  ],
  ['of one class', () => fill('photos/a', 0, 3), /has one class, 'a': a classifier needs two or more/],
  [
    'with an empty class',
    () => {
      fill('photos/a', 0, 3)
      mkdirSync(temporary.path('photos/b'))
      mkdirSync(temporary.path('photos/c'))
    },
    /no images \(JPEG, .*in class folders '.*photos\/b', '.*photos\/c'/,
  ],
  [
    'with a class that only test has',
    () => {
      fill('photos/train/a', 0, 3)
      fill('photos/train/b', 0, 3)
      fill('photos/test/c', 0, 3)
    },
    /test' has class 'c', which '.*train' lacks/,
  ],
  [
    'with nothing to hold out',
    () => {
      fill('photos/a', 0, 1)
      fill('photos/b', 1, 2)
    },
    /one image a class: there is none to hold out/,
  ],
])('refuses a folder that is %s', async (_, make, message) => {
  make()
  await expect(imageFolder(temporary.path('photos'), options())).rejects.toThrow(message)
})

it('gives grey images where one channel is asked for, in a packed file of their own', async () => {
  fill('photos/a', 0, 5)
  fill('photos/b', 5, 10)
  const folder = temporary.path('photos')
  const { train } = await imageFolder(folder, options({ channels: 1 }))
  expect(train.imageShape).toEqual([12, 12, 1])
  const pixels = new Uint8Array(144)
  train.read([0], pixels)
  expect([...new Set(pixels)]).toEqual([levels((await imageFolder(folder, options())).train)[0]])
  expect(readdirSync(temporary.path('cache'))).toHaveLength(2)
  await expect(imageFolder(folder, options({ channels: 4 }))).rejects.toThrow(
    'channels: expected 3 (RGB) or 1 (grey), got 4',
  )
})

it('refuses sizes that make no sense', async () => {
  fill('photos/a', 0, 2)
  fill('photos/b', 2, 4)
  await expect(imageFolder(temporary.path('photos'), options({ size: 0 }))).rejects.toThrow(
    'size: expected a whole number from 1 to 4,096, got 0',
  )
  await expect(imageFolder(temporary.path('photos'), options({ heldOut: 1 }))).rejects.toThrow(
    'heldOut: expected a number above 0 and below 1, got 1',
  )
})
