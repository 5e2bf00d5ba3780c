/** @file Claims about the pictures: what stands in them, whatever the classes are called and however many there are. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { costPlot, type TradeOffPoint } from '../../src/account/trade-off.js'
import { calibrationPicture } from '../../src/reports/calibration-picture.js'
import { curves } from '../../src/reports/curves.js'
import { mistakesPicture } from '../../src/reports/mistakes-picture.js'
import { imageUri, writePicture } from '../../src/reports/picture.js'
import { plotFrame, powersOfTen, ticks } from '../../src/reports/plot.js'
import { formatRate, ratesPicture } from '../../src/reports/rates-picture.js'
import { type RunPicture, runPicture } from '../../src/reports/run-picture.js'
import { fit, textWidth } from '../../src/reports/svg.js'
import { tradeOffPicture, tradeOffPlot } from '../../src/reports/trade-off-picture.js'

/** The texts of a picture, in order. */
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, words]) => words)

/** That it can be drawn, in its own size. */
async function drawn(svg: string) {
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  const { width, height } = await sharp(Buffer.from(svg)).metadata()
  return { width, height }
}

const run = async (classes: readonly string[]): Promise<RunPicture> => ({
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
  uri: await imageUri(new Uint8Array(12).fill(200), [2, 2, 3], 90),
  ...{ truth: 'cat', predicted, probability: 0.7 },
})

describe('axes', () => {
  test('have round marks that cover the values', () => {
    expect(ticks(0.35, 1.05)).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1.2])
    expect(ticks(5, 5).length).toBeGreaterThan(1)
    expect(powersOfTen(1e-6, 10)).toEqual([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10])
    expect(powersOfTen(0.02, 0.05)).toEqual([0.02, 0.05])
  })

  test('put equal factors equally far apart where they are logarithmic', () => {
    const axis = { low: 1e-3, high: 1, marks: [], format: String }
    const { x, inner } = plotFrame({ x: 0, y: 0, width: 400, height: 200 }, { ...axis, scale: 'logarithmic' }, axis)
    expect(x(1e-2) - x(1e-3)).toBeCloseTo(inner.width / 3, 9)
    expect(x(1)).toBeCloseTo(inner.x + inner.width, 9)
  })

  test.each([
    [1, ['1']],
    [4, ['1', '2', '3', '4']],
    [150, ['1', '20', '40', '60', '80', '100', '120', '140']],
  ])('of %s epochs are numbered so that people can count', (epochs, expected) => {
    const values = Array.from({ length: epochs }, () => 1)
    const box = { x: 0, y: 0, width: 500, height: 200 }
    const svg = curves([{ name: 'training', color: 'blue', values }], box, { title: 'Loss', format: () => '' })
    expect(texts(svg).filter(words => /^\d+$/.test(words))).toEqual(expected)
  })
})

describe('a name that is too long', () => {
  test('loses its middle, and fits', () => {
    expect(fit('Ankle boot', 200)).toBe('Ankle boot')
    const names = ['black-footed albatross', '学习曲线混淆矩阵的图像分类', 'W'.repeat(40)]
    for (const name of names) expect(textWidth(fit(name, 70))).toBeLessThanOrEqual(70)
    expect(fit('black-footed albatross', 80)).toMatch(/^black.*…ss$/)
  })
})

describe('the picture of a run', () => {
  test('makes no markup of names from outside, and gaps in a curve leave no NaN', async () => {
    const svg = runPicture(await run(['cat', '<script>']))
    expect(svg).not.toContain('<script>')
    expect(svg).not.toContain('NaN')
  })

  test('names classes, predictions and the truth', async () => {
    const words = texts(runPicture(await run(['cat', 'dog'])))
    expect(words).toEqual(expect.arrayContaining(['cat', 'dog', '✓ cat', '70 %', '✗ dog', 'is cat']))
  })

  test('says so where no image was mistaken', async () => {
    expect(texts(runPicture(await run(['a', 'b', 'c'])))).toContain('none: every held-out image is recognized')
  })

  test.each([2, 20, 100])('is written as an image, 1280 pixels wide, for %s classes', async count => {
    const classes = Array.from({ length: count }, (_, i) => `class ${i}`)
    const path = await writePicture(
      runPicture(await run(classes)),
      join(mkdtempSync(join(tmpdir(), 'fovea-picture-')), 'deep', 'report'),
    )
    expect((await sharp(path).metadata()).width).toBe(1280)
  })
})

describe('the picture of the worst mistakes', () => {
  const of = async (count: number, total = count) =>
    mistakesPicture({
      title: 'resnet8 on pets',
      mistakes: await Promise.all(Array.from({ length: count }, () => cat('dog'))),
      ...{ total, images: 1000 },
    })

  test('has for each what it was taken for, how surely, and what it is', async () => {
    const words = texts(await of(40, 123))
    expect(words).toContain('the worst 40 of 123 mistakes on 1,000 held-out images, highest loss first')
    expect(words.filter(text => text === '✗ dog 70 %').length).toBe(40)
    expect(words.filter(text => text === 'is cat').length).toBe(40)
  })

  test('is as high as its rows need', async () => {
    const heights = await Promise.all([1, 8, 9, 40].map(async count => (await drawn(await of(count))).height!))
    expect(heights[0]).toBe(heights[1])
    expect(heights[2]).toBeGreaterThan(heights[1])
    expect(heights[3]).toBeGreaterThan(heights[2])
  })

  test('says so where there are none', async () => {
    expect(texts(await of(0))).toEqual(
      expect.arrayContaining(['no mistakes on 1,000 held-out images', 'Every image is recognized.']),
    )
    await drawn(await of(0))
  })

  test('shows a photo no larger than its place, and a small image as it is', async () => {
    const sizeOf = async (uri: string) => {
      const { width, height } = await sharp(Buffer.from(uri.split(',')[1], 'base64')).metadata()
      return [width, height]
    }
    expect(await sizeOf(await imageUri(new Uint8Array(300 * 200), [200, 300, 1], 140))).toEqual([140, 93])
    expect(await sizeOf(await imageUri(new Uint8Array(28 * 28), [28, 28, 1], 140))).toEqual([28, 28])
  })
})

describe('the picture of the calibration', () => {
  const bins = [
    { low: 8 / 15, high: 9 / 15, images: 4, confidence: 0.56, accuracy: 0.25 },
    { low: 14 / 15, high: 1, images: 16, confidence: 0.99, accuracy: 1 },
  ]

  test('names the error, and whether the model is too sure or too cautious', async () => {
    const measured = { title: 'x', images: 20, calibrationError: 0.07, reliability: bins }
    // The mean confidence is 90.4 %.
    const said = (accuracy: number) => texts(calibrationPicture({ ...measured, accuracy }))[1]
    expect(said(0.85)).toBe('calibration error 7.0 % on 20 held-out images, on average 5.4 points too sure')
    expect(said(0.95)).toContain('4.6 points too cautious')
    expect(said(0.904)).toContain('as sure as it is right')
    const named = calibrationPicture({ ...measured, accuracy: 0.85, imagesName: 'images of val' })
    expect(texts(named)[1]).toBe('calibration error 7.0 % on 20 images of val, on average 5.4 points too sure')
    await drawn(calibrationPicture({ ...measured, accuracy: 0.85 }))
  })

  test('can be drawn of a single image', async () => {
    const one = [{ low: 14 / 15, high: 1, images: 1, confidence: 1, accuracy: 1 }]
    await drawn(calibrationPicture({ title: 'x', images: 1, accuracy: 1, calibrationError: 0, reliability: one }))
  })
})

test('the plot of a search for a learning rate names both rates', async () => {
  const steps = Array.from({ length: 50 }, (_, i) => {
    const loss = i === 49 ? 1e30 : 3 - i / 25
    return { learningRate: 1e-6 * 10 ** (i / 7), loss, smoothedLoss: Math.min(3, loss) }
  })
  const svg = ratesPicture('cnn on pets', { steepest: 0.0123, tenthOfLowest: 3.14e-5, steps })
  expect(texts(svg)).toEqual(
    expect.arrayContaining(['0.012: the loss falls fastest', '3.1e-5: a tenth of where it is lowest', '0.001']),
  )
  await drawn(svg)
  expect([1e-6, 0.05, 1, 10].map(formatRate)).toEqual(['1e-6', '0.05', '1', '10'])
})

describe('the picture of a trade-off', () => {
  const point = (amount: number, integers: boolean, latencyMs: number, accuracy: number) =>
    ({ amount, integers, latencyMs, fileBytes: 1000 * latencyMs, accuracy, images: 2000 }) as TradeOffPoint
  const points = [
    point(0, false, 2, 0.79),
    point(0, true, 1.1, 0.788),
    point(0.3, false, 1.5, 0.785),
    point(0.3, true, 0.8, 0.784),
  ]

  test.each(['latency', 'bytes'] as const)('names every model, over its %s, with what was asked for', async cost => {
    const svg = tradeOffPicture(
      'resnet20 & more',
      costPlot({
        cost,
        points,
        chosen: points[3],
        most: cost === 'bytes' ? 900 : 1,
        asked: [],
      }),
    )
    const words = texts(svg)
    for (const name of ['original', 'original, in integers', '30 % removed', '30 % removed, in integers']) {
      expect(words).toContain(name)
    }
    expect(words).toContain('asked for')
    expect(words).toContain(cost === 'latency' ? 'latency of one image in ms' : 'size of the file in KiB')
    expect(svg.match(/<circle/g)).toHaveLength(4)
    expect(svg.match(/stroke-dasharray/g)).toHaveLength(1)
    // 30 % removed in float32 is beaten by the original in integers.
    const [, line] = /<polyline points="([^"]*)"/.exec(svg)!
    expect(line.split(' ')).toHaveLength(3)
    await drawn(svg)
  })

  test('without a result has none in its legend, and long names are cut', () => {
    const name = `runs/${'long'.repeat(30)}/photos`
    const words = texts(tradeOffPlot({ cost: 'bytes', images: 20, models: [{ name, cost: 4000, accuracy: 0.5 }] }))
    expect(words).not.toContain('the result')
    expect(words.some(word => word.startsWith('runs/long') && word.includes('…') && word.endsWith('photos'))).toBe(true)
  })

  test('of one model, and of several at the same place, is drawn too', async () => {
    await drawn(tradeOffPicture('one', costPlot({ cost: 'bytes', points: [points[0]], chosen: points[0], asked: [] })))
    const equal = Array.from({ length: 12 }, (_, i) => point(i / 50, true, 1, 0.5))
    await drawn(tradeOffPicture('many', costPlot({ cost: 'latency', points: equal, chosen: equal[3], asked: [] })))
  })
})
