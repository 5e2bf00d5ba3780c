/**
 * @file Claims about how a model wants pictures resized and cropped: it is read from what lies beside its weights, and all that
 * takes a picture or writes the model does the same.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, decodeCheckpoint, decodeOnnx, encodeCheckpoint, encodeOnnx, type Model, predict } from 'fovea'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { resizedCenter } from '../../fovea/src/browser/resize.js'
import { Budget } from '../src/data/budget.js'
import { decodeImage } from '../src/data/decode-image.js'
import { packImageFolder } from '../src/data/image-folder.js'
import { findDataset } from '../src/data/open-dataset.js'
import { imagesFor } from '../src/open-data.js'
import { createApp } from '../src/serve/app.js'
import { Metrics } from '../src/serve/metrics.js'
import { serveModel } from '../src/serve/served-model.js'
import { readConfig } from '../src/weights/config.js'
import { fovea, temporaryFolder } from './run-fovea.js'
import { engine, generous, jsonOf } from './serve/small-server.js'

const folder = temporaryFolder()
const plain = createModel('resnet8', { input: [8, 8, 3], labels: ['a', 'b'], seed: 3 })
const resizing = { crop: 0.5, interpolation: 'bicubic' } as const
const model: Model = { ...plain, preprocessing: { ...plain.preprocessing, resizing } }
const file = join(folder, 'model.safetensors')
writeFileSync(file, Buffer.concat([...encodeCheckpoint({ model })]))

/** Green inside, and a red border that is a quarter of each side. */
const [width, height] = [48, 32]
const raw = Buffer.from(
  Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)]
    return x >= 16 && x < 32 && y >= 8 && y < 24 ? [0, 200 + (x % 8), y] : [255, x, 0]
  }).flat(),
)
for (const part of ['train', 'val']) {
  for (const label of ['a', 'b']) {
    mkdirSync(join(folder, 'photos', part, label), { recursive: true })
    for (const i of [0, 1]) {
      const png = sharp(Buffer.from(raw.map(level => level ^ i)), { raw: { width, height, channels: 3 } }).png()
      writeFileSync(join(folder, 'photos', part, label, `${part}${label}${i}.png`), await png.toBuffer())
    }
  }
}
const photo = join(folder, 'photos/val/a/vala0.png')
const pixels = await decodeImage(photo, [8, 8, 3], resizing)

test('the shorter side is resized to more than the model takes, and the center cropped', async () => {
  const red = (image: Uint8Array): number => image.filter((level, i) => i % 3 === 0 && level > 100).length
  expect(red(pixels)).toBe(0)
  expect(red(await decodeImage(photo, [8, 8, 3]))).toBe(8 * 8 - 4 * 4)
  const by = (kernel: 'cubic' | 'linear') =>
    sharp(photo)
      .resize(16, 16, { fit: 'cover', kernel })
      .extract({ left: 4, top: 4, width: 8, height: 8 })
      .raw()
      .toBuffer()
  expect(Buffer.from(pixels)).toEqual(await by('cubic'))
  const linear = await decodeImage(photo, [8, 8, 3], { crop: 0.5, interpolation: 'bilinear' })
  expect(Buffer.from(linear)).toEqual(await by('linear'))
  await expect(decodeImage(photo, [8, 8, 3], { crop: 0, interpolation: 'bilinear' })).rejects.toThrow('resizing.crop')
})

test('a saved model and an ONNX file keep it; one that is damaged is refused', () => {
  const bytes = readFileSync(file)
  expect(decodeCheckpoint('a', bytes).model.preprocessing).toEqual(model.preprocessing)
  expect(decodeOnnx('a', Buffer.concat(encodeOnnx(model))).preprocessing).toEqual(model.preprocessing)
  const damaged = { ...model, preprocessing: { ...model.preprocessing, resizing: { ...resizing, crop: 2 } } }
  expect(() => decodeCheckpoint('a', Buffer.concat([...encodeCheckpoint({ model: damaged })]))).toThrow(
    "'a' is no checkpoint of Fovea: crop must be above 0 and at most 1",
  )
})

test('predict, serve and the images of a folder see the same pixels', async () => {
  const [expected] = await predict(model, pixels, { engine, top: 2 })
  const byLabel = (rows: readonly { label: string; probability: number }[]) =>
    rows.map(({ label, probability }) => [label, expect.closeTo(probability, 5)])
  const { json } = await fovea(['predict', file, photo, '--json', '--engine', 'reference'])
  expect(json[0].predictions.map(Object.values)).toEqual(byLabel(expected))
  const options = { engine, maxBatch: 1, turns: new Budget(1), maxDelayMs: 1, maxQueue: 4 }
  const app = createApp([await serveModel('cropped', model, options)], { limits: generous, metrics: new Metrics() })
  const body = new Uint8Array(readFileSync(photo))
  const answer = await jsonOf(await app.request('/predict', { method: 'POST', body }))
  expect(answer.predictions.map(Object.values)).toEqual(byLabel(expected))
  const found = await findDataset(join(folder, 'photos'), { ...imagesFor(model), cache: join(folder, 'cache') })
  const { test: images } = await found.open({ cache: join(folder, 'cache') })
  const own = new Uint8Array(pixels.length)
  images.read([0], own)
  expect(own).toEqual(new Uint8Array(pixels))
})

test('images that are packed already are not cropped once more, and that is said', async () => {
  const packed = join(folder, 'packed.fovea-data')
  await packImageFolder(join(folder, 'photos'), packed, { size: 8 })
  const said: string[] = []
  await (await findDataset(packed, imagesFor(model))).open({ onNotice: notice => void said.push(notice) })
  expect(said).toEqual([
    `'${packed}' has images that are cropped already: the model's own (50 % of the shorter side of a picture, resized by bicubic) is for folders of images`,
  ])
  await (await findDataset(packed, imagesFor(plain))).open({ onNotice: notice => void said.push(notice) })
  expect(said.length).toBe(1)
})

test('transformers.js is told, as far as it resizes well', async () => {
  const out = join(folder, 'transformers')
  const { code, stderr } = await fovea(['export', file, '--format', 'transformers', '--out', out])
  expect(code, stderr).toBe(0)
  expect(JSON.parse(readFileSync(join(out, 'preprocessor_config.json'), 'utf8'))).toMatchObject({
    ...{ size: { shortest_edge: 16 }, resample: 1, do_center_crop: true, crop_size: { height: 8, width: 8 } },
  })
  expect(stderr).toContain('transformers.js resizes by lanczos, not by bicubic')
  expect(readConfig(out).resizing).toEqual({ crop: 0.5, interpolation: 'lanczos' })
})

const cut = { size: { shortest_edge: 256 }, crop_size: { height: 224, width: 224 }, resample: 3 }
test.each([
  ["timm's", 'config.json', { pretrained_cfg: { crop_pct: 0.875, interpolation: 'bicubic' } }, [0.875, 'bicubic'], []],
  ["timm's of before", 'config.json', { crop_pct: 0.9, interpolation: 'bilinear' }, [0.9, 'bilinear'], []],
  [
    "timm's of a squeezed picture",
    'config.json',
    { crop_pct: 1, crop_mode: 'squash', interpolation: 'lanczos' },
    undefined,
    ['squash'],
  ],
  ["timm's of another filter", 'config.json', { interpolation: 'nearest' }, undefined, ['by lanczos, not by nearest']],
  [
    "timm's of weights that were measured on larger images",
    'config.json',
    { input_size: [3, 224, 224], test_input_size: [3, 288, 288], crop_pct: 0.95, interpolation: 'bicubic' },
    [0.95, 'bicubic'],
    ['images are of 224×224; its published accuracy is of 288×288'],
  ],
  ["transformers'", 'preprocessor_config.json', cut, [0.875, 'bicubic'], []],
  ["transformers' without a crop", 'preprocessor_config.json', { ...cut, do_center_crop: false }, [1, 'bicubic'], []],
  [
    "transformers' of ConvNeXt",
    'preprocessor_config.json',
    { size: { shortest_edge: 224 }, crop_pct: 0.8, resample: 2 },
    [0.8, 'bilinear'],
    [],
  ],
  [
    "transformers' of ViT",
    'preprocessor_config.json',
    { size: { height: 224, width: 224 }, resample: 2 },
    [1, 'bilinear'],
    ['squash'],
  ],
  [
    "transformers' of a padded picture",
    'preprocessor_config.json',
    { ...cut, size: { shortest_edge: 200 }, resample: 1 },
    undefined,
    ['pad'],
  ],
])('what is beside weights: %s', (name, configuration, json, expected, notes) => {
  const beside = join(folder, `of ${name}`)
  mkdirSync(beside)
  writeFileSync(join(beside, configuration), JSON.stringify(json))
  const { resizing: found, notApplied } = readConfig(beside)
  expect(found && [found.crop, found.interpolation]).toEqual(expected)
  expect(notApplied).toEqual(notes.map(note => expect.stringContaining(note)))
})

test('a page resizes as training does, by each filter', async () => {
  for (const [width, height] of [
    [301, 157],
    [40, 173],
  ] as const) {
    const rgb = Buffer.from(
      Array.from({ length: width * height }, (_, i) => {
        const [x, y] = [i % width, Math.floor(i / width)]
        return [2 * Math.min(x, 300 - x), (x ^ y) & 64 ? 220 : 30, 128 + 100 * Math.sin(Math.hypot(x - 20, y - 20) / 6)]
      }).flat(),
    )
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
      i % 4 === 3 ? 255 : rgb[3 * (i >> 2) + (i % 4)],
    )
    const picture = join(folder, `${width}.png`)
    await sharp(rgb, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(picture)
    for (const interpolation of ['lanczos', 'bicubic', 'bilinear'] as const) {
      for (const crop of [1, 0.875]) {
        const here = resizedCenter({ data: rgba, width, height }, [28, 28], { crop, interpolation })
        const there = await decodeImage(picture, [28, 28, 3], { crop, interpolation })
        const apart = here.map((level, i) => Math.abs(level - there[i]))
        expect(apart.reduce((a, b) => a + b) / apart.length, `${width} ${interpolation} ${crop}`).toBeLessThan(2)
      }
    }
  }
})
