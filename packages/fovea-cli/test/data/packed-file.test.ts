import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { type Dataset, FormatError } from 'fovea'
import { describe, expect, it } from 'vitest'
import type { DecodedFacts } from '../../src/data/folder-facts.js'
import { imageHashes, joinHashes, splitHashes } from '../../src/data/image-hash.js'
import { isPacked, openPacked, readManifest, writePacked } from '../../src/data/packed-file.js'
import { temporaryFolder } from './temporary-folder.js'

const temporary = temporaryFolder()

const images = Array.from({ length: 7 }, (_, i) => ({
  split: i < 5 ? ('train' as const) : ('test' as const),
  label: i % 3,
  pixels: Uint8Array.from({ length: 12 }, (_, j) => 20 * i + j),
}))
const description = {
  name: 'small',
  imageShape: [2, 2, 3] as [number, number, number],
  classes: ['a', 'b', 'c'],
  source: 'here',
}

async function packed(): Promise<string> {
  const path = temporary.path('small.fovea-data')
  await writePacked(path, description, images, () => ({ skipped: ['bad.jpg'] }))
  return path
}

describe('a packed file', () => {
  it.each([
    ['in memory', 1e9],
    ['left in the file', 0],
  ])('gives back what was packed, %s', async (_, maxMemoryBytes) => {
    const path = await packed()
    const { train, test } = openPacked(path, maxMemoryBytes)
    expect([train.length, test.length, train.name]).toEqual([5, 2, 'small/train'])
    expect([...train.labels, ...test.labels]).toEqual(images.map(({ label }) => label))
    const target = new Uint8Array(24)
    test.read([1, 0], target)
    expect([...target]).toEqual([...images[6].pixels, ...images[5].pixels])
    train.read([4, 4], target)
    expect([...target]).toEqual([...images[4].pixels, ...images[4].pixels])
    expect(train.fingerprint).not.toBe(test.fingerprint)
    expect(readManifest(path)).toMatchObject({ ...description, skipped: ['bad.jpg'], splits: { train: { count: 5 } } })
  })

  it('knows the hash of each image, as if it were read; one that was packed without them is read for it', async () => {
    const path = await packed()
    const { train, test } = openPacked(path)
    expect(new Set([...(train.hashes ?? []), ...(test.hashes ?? [])]).size).toBe(7)
    for (const dataset of [train, test]) {
      const { hashes, ...without } = dataset
      expect(imageHashes(dataset)).toBe(hashes)
      expect(imageHashes(without)).toEqual(hashes)
      expect(splitHashes(joinHashes(hashes ?? []))).toEqual(hashes)
    }
    const whole = readFileSync(path)
    const asOld = whole.toString('latin1').replace(/"hashes":"/g, '"before":"')
    writeFileSync(path, asOld, 'latin1')
    expect(openPacked(path).train.hashes).toBeUndefined()
    expect(imageHashes(openPacked(path).train)).toEqual(train.hashes)
  })

  it('is refused when any part is cut off or any byte of its images changed', async () => {
    const path = await packed()
    const whole = readFileSync(path)
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), length => {
        writeFileSync(path, whole.subarray(0, length))
        expect(() => openPacked(path)).toThrow(length < 16 ? /is not a packed data set/ : /cut short|size|manifest/)
      }),
    )
    for (let at = 16; at < 16 + 7 * 14; at++) {
      const changed = Buffer.from(whole)
      changed[at] ^= 1
      writeFileSync(path, changed)
      expect(() => openPacked(path)).toThrow(/is damaged: (the (train|test) images do not have the hash|a label)/)
    }
  })

  it('answers any change of any byte with a FormatError or the same images', async () => {
    const path = await packed()
    const whole = readFileSync(path)
    const { fingerprint } = openPacked(path).train
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const changed = Buffer.from(whole)
        changed[at] = byte
        writeFileSync(path, changed)
        try {
          expect(openPacked(path).train.fingerprint).toBe(fingerprint)
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('of another version is told from a damaged one', async () => {
    const path = await packed()
    const other = readFileSync(path)
    other[8] = 3
    writeFileSync(path, other)
    expect(() => openPacked(path)).toThrow(
      /has version 3 of the format, this Fovea reads 1 and 2; delete it and pack the images again: npx fovea data pack FOLDER --out .*small/,
    )
    expect(isPacked(path)).toBe(true)
    expect(isPacked(temporary.write('other', 'short'))).toBe(false)
  })

  it('keeps validation images and what was said of the folder', async () => {
    const path = temporary.path('three.fovea-data')
    const three = images.map((image, i) => ({
      ...image,
      split: (['train', 'validation', 'test'] as const)[i >> 1] ?? 'test',
    }))
    const facts: DecodedFacts = {
      sources: { train: { folder: 'train' }, validation: { folder: 'train', heldOut: 0.2 }, test: { folder: 'test' } },
      unused: [{ folder: 'extra', images: 3, why: "beside 'train'" }],
      leftOut: { '.heic': 2 },
      joined: [['train/a', 'val/a']],
      ...{ smallest: [1, 2], largest: [30, 20], enlarged: 1 },
      repeated: { acrossSplits: { images: 2, example: ['train/a/1.jpg', 'val/a/2.jpg'] } },
    }
    await writePacked(path, description, three, () => ({ skipped: [], facts }))
    for (const maxMemory of [1e9, 0]) {
      const data = openPacked(path, maxMemory)
      expect(data.facts).toEqual(facts)
      const of = ({ labels, read }: Dataset) => {
        const target = new Uint8Array(12 * labels.length)
        read(Array.from(labels.keys()), target)
        return Array.from(labels, (label, i) => ({ label, pixels: target.slice(12 * i, 12 * i + 12) }))
      }
      expect(data.validation?.name).toBe('small/validation')
      const all = [data.train, data.validation as Dataset, data.test].flatMap(of)
      expect(all).toEqual(images.map(({ label, pixels }) => ({ label, pixels })))
    }
  })

  it('of version 1, which had training and test images only, is read', async () => {
    const path = await packed()
    const { train } = openPacked(path)
    const old = readFileSync(path)
    old[8] = 1
    old[old.length - 12] = 1
    writeFileSync(path, old)
    expect(openPacked(path)).toMatchObject({ train: { fingerprint: train.fingerprint }, test: { length: 2 } })
    expect(openPacked(path).validation).toBeUndefined()
  })

  it('is not written without images', async () => {
    const path = temporary.path('none')
    await expect(writePacked(path, description, [])).rejects.toThrow("'small' has no images")
    await expect(writePacked(path, description, [], () => ({ skipped: ['a.jpg', 'b.jpg'] }))).rejects.toThrow(
      "'small' has no images; left out: a.jpg, b.jpg",
    )
    expect(() => readManifest(path)).toThrow(/cannot read '.*none': there is no such file/)
  })

  it('may lack a split', async () => {
    const path = temporary.path('one')
    await writePacked(path, description, images.slice(0, 5))
    expect(openPacked(path)).toMatchObject({ train: { length: 5 }, test: { length: 0 } })
  })
})
