/** @file Claims about the picture of a run. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { ticks } from '../../src/reports/curves.js'
import { imageUri, pictureWidth, type RunReport, runPicture, writePicture } from '../../src/reports/picture.js'

const report = async (classes: readonly string[]): Promise<RunReport> => ({
  title: 'resnet8 on <photos> & "more"',
  subtitle: 'two epochs',
  classes,
  epochs: [
    { loss: 2.3, accuracy: 0.1, validationLoss: Number.NaN, validationAccuracy: Number.NaN },
    { loss: 1.1, accuracy: 0.6, validationLoss: 1.2, validationAccuracy: 0.55 },
  ],
  confusion: classes.map((_, i) => classes.map((_, j) => (i + j) % 3)),
  predictions: { some: [await cat('cat')], mistakes: classes.length > 2 ? [] : [await cat('dog')] },
})

const cat = async (predicted: string) => ({
  uri: await imageUri(new Uint8Array(12).fill(200), [2, 2, 3]),
  ...{ truth: 'cat', predicted, probability: 0.7 },
})

test('axis marks are round and cover the values', () => {
  expect(ticks(0.35, 1.05)).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1.2])
  expect(ticks(5, 5).length).toBeGreaterThan(1)
})

test('names from outside do not become markup, and gaps in a curve leave no NaN', async () => {
  const svg = runPicture(await report(['cat', '<script>']))
  expect(svg).not.toContain('<script>')
  expect(svg).not.toContain('NaN')
})

test('the picture is written as an image of its size, for two classes and for a hundred', async () => {
  for (const count of [2, 100]) {
    const classes = Array.from({ length: count }, (_, i) => `class ${i}`)
    const path = await writePicture(
      runPicture(await report(classes)),
      join(mkdtempSync(join(tmpdir(), 'fovea-picture-')), 'deep', 'report'),
    )
    expect((await sharp(path).metadata()).width).toBe(pictureWidth)
  }
})
