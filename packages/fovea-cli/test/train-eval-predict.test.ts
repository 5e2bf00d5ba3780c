/** @file Claims about a model's way through the commands: what `train` leaves, `eval` measures and `predict` asks. */
import { cpSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel } from 'fovea'
import { beforeAll, describe, expect, test } from 'vitest'
import { saveModel } from '../src/index.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const oneLine = /^fovea: [^\n]+\n$/

describe('train, eval, predict', () => {
  const out = join(temporaryFolder(), 'run')
  let photos: string
  let all: Awaited<ReturnType<typeof fovea>>['json']
  let events: typeof all

  beforeAll(async () => {
    photos = await colorFolder()
    const trained = await fovea([
      ...['train', 'cnn', '--data', photos, '--epochs', '3', '--batch', '12', '--seed', '1', '--out', out, '--json'],
    ])
    expect(trained.stderr).not.toContain('fovea:')
    expect(trained.code).toBe(0)
    all = trained.json
    events = all.slice(1)
  })

  test('train --json prints an object for the data, one an epoch and one at the end', () => {
    expect(all.map(({ event }) => event)).toEqual(['data', 'epoch', 'epoch', 'epoch', 'done'])
    expect(all[0]).toEqual({
      event: 'data',
      data: photos,
      imageShape: [24, 24, 3],
      classes: ['blue', 'green', 'red'],
      images: { train: 72, test: 24 },
      sizeFrom: 'median',
      sources: { train: { folder: 'train' }, test: { folder: 'val' } },
      unused: [],
      leftOut: {},
      joined: [],
      ...{ smallest: [24, 24], largest: [24, 24], enlarged: 0 },
      // Those of `val` are the first of `train`.
      repeated: {
        acrossSplits: { images: 24, example: [join('train', 'blue', '0.png'), join('val', 'blue', '0.png')] },
      },
    })
    for (const key of ['loss', 'accuracy', 'validationLoss', 'validationAccuracy', 'imagesPerSecond', 'seconds']) {
      expect(events[0][key], key).toBeTypeOf('number')
    }
    expect(events[2].epoch).toBe(3)
    const done = events[3]
    expect(existsSync(done.checkpoint)).toBe(true)
    // Colours are easy: what cannot tell red from blue does not train.
    expect(done.testAccuracy).toBeGreaterThan(0.9)
  })

  test('a run that is done leaves its folder free', () => {
    expect(existsSync(join(out, 'lock'))).toBe(false)
  })

  test('eval measures what train reported', async () => {
    const done = events[3]
    const { code, json } = await fovea(['eval', done.checkpoint, '--data', photos, '--json'])
    expect(code).toBe(0)
    expect(json[0].accuracy).toBeCloseTo(done.testAccuracy, 6)
    expect(json[0]).toMatchObject({ images: 24, top5: 1 })
    for (const key of ['loss', 'calibrationError']) expect(json[0][key]).toBeTypeOf('number')
    expect(json[0].classes[0]).toMatchObject({ label: 'blue', images: 8, recall: expect.any(Number) })
  })

  test('predict names the color of a photo, with probabilities that add up to 1', async () => {
    const images = ['red', 'blue'].map(color => join(photos, 'val', color, '0.png'))
    const { code, json } = await fovea(['predict', events[3].checkpoint, ...images, '--json'])
    expect(code).toBe(0)
    expect(json.map(({ image }) => image)).toEqual(images)
    expect(json.map(({ predictions }) => predictions[0].label)).toEqual(['red', 'blue'])
    const total = json[0].predictions.reduce(
      (sum: number, { probability }: { probability: number }) => sum + probability,
      0,
    )
    expect(total).toBeCloseTo(1, 5)
  })

  test('predict answers for the images that can be read, says of each other one why not, and ends with 1', async () => {
    const folder = temporaryFolder()
    const file = (name: string, content: string | Buffer): string => {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    }
    const good = readFileSync(join(photos, 'val', 'red', '0.png'))
    const bad = [
      [file('text.jpg', 'text'), 'is not a JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF image'],
      [file('cut.png', good.subarray(0, good.length / 2)), 'cannot be decoded'],
      [file('empty.jpg', ''), 'is empty'],
      [join(folder, 'absent.jpg'), 'there is no such file'],
      [folder, 'it is a folder'],
    ]
    // More than are decoded at a time, so that bad ones lie in the first part and in the last.
    const many = Array.from({ length: 70 }, (_, i) => file(`${i}.png`, good))
    const images = [...bad.slice(0, 2).map(([path]) => path), ...many, ...bad.slice(2).map(([path]) => path)]
    const { code, json, stderr } = await fovea(['predict', events[3].checkpoint, ...images, '--top', '1', '--json'])
    expect(json.map(({ image }) => image)).toEqual(images)
    expect(json.filter(({ predictions }) => predictions?.[0].label === 'red')).toHaveLength(70)
    const lines = stderr.trim().split('\n')
    expect(lines.pop()).toBe('fovea: 5 of 75 images cannot be read')
    expect(lines).toHaveLength(5)
    for (const [i, [path, reason]] of bad.entries()) {
      expect(lines[i]).toContain(`'${path}'`)
      expect(lines[i]).toContain(reason)
      expect(json.find(({ image }) => image === path).error).toBe(lines[i])
    }
    expect(code).toBe(1)
  })

  test('predict with no image that can be read ends with one line', async () => {
    const image = join(temporaryFolder(), 'photo.jpg')
    writeFileSync(image, 'text')
    const { code, stdout, stderr } = await fovea(['predict', events[3].checkpoint, image])
    expect({ code, stdout, stderr }).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: `fovea: '${image}' is not a JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF image\n`,
    })
  })
})

test('a model that is not there is said to be none', async () => {
  for (const words of [
    ['eval', '--data', 'fashion-mnist'],
    ['predict', 'a.jpg'],
    ['prune', '--amount', '0.5', '--data', 'fashion-mnist'],
  ]) {
    const [command, ...rest] = words
    const { code, stderr } = await fovea([command, 'none.safetensors', ...rest])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "fovea: cannot read 'none.safetensors': there is no such file or folder\n",
    })
  }
})

describe('what is trained and what is given to it must fit', () => {
  const out = join(temporaryFolder(), 'run')
  let photos: string
  beforeAll(async () => {
    photos = await colorFolder({ train: 8, val: 4 })
    await fovea(['train', 'resnet8', '--data', photos, '--epochs', '1', '--batch', '8', '--out', out])
  })

  test('a run that diverges keeps its last good checkpoint and says what to try', async () => {
    const diverging = join(temporaryFolder(), 'run')
    const args = ['train', 'resnet8', '--data', photos, '--epochs', '3', '--batch', '8', '--recipe', 'paper']
    const { code, stderr } = await fovea([...args, '--learning-rate', '1e30', '--out', diverging])
    expect(code).toBe(1)
    expect(stderr).toMatch(oneLine)
    expect(stderr).toMatch(/the loss is (NaN|Infinity) at step \d of 3 in epoch 1.*try a lower learning rate/)
    expect(existsSync(join(diverging, 'model.safetensors'))).toBe(false)
  })

  test('the folder of a run stands for the model in it', async () => {
    const { code, json } = await fovea(['eval', out, '--data', photos, '--json'])
    expect(code).toBe(0)
    expect(json[0].images).toBe(12)
    expect((await fovea(['summary', out])).stdout).toContain('layer3.0.downsample.0')
  })

  test('another model than the file holds is refused', async () => {
    const file = join(out, 'model.safetensors')
    const env = { FOVEA_DATA: join(temporaryFolder(), 'cache') }
    const { code, stderr } = await fovea(['eval', file, '--model', 'resnet20', '--data', photos], { env })
    expect(existsSync(env.FOVEA_DATA), 'images were decoded in vain').toBe(false)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(oneLine) })
    expect(stderr).toContain(`'${file}' holds a resnet8, not a resnet20; leave out the model`)
  })

  test('images of other classes are refused by name', async () => {
    const other = temporaryFolder()
    for (const [to, from] of [
      ['azure', 'blue'],
      ['green', 'green'],
      ['red', 'red'],
    ]) {
      cpSync(join(photos, 'train', from), join(other, to), { recursive: true })
    }
    const env = { FOVEA_DATA: join(temporaryFolder(), 'cache') }
    const { code, stderr } = await fovea(['eval', out, '--data', other], { env })
    expect(existsSync(env.FOVEA_DATA), 'images were decoded in vain').toBe(false)
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("has class 'azure', which resnet8 does not know; it knows blue, green, red"),
    })
  })

  test('a grey model is measured on a folder of photos, in grey', async () => {
    const grey = join(temporaryFolder(), 'grey.safetensors')
    await saveModel(grey, createModel('resnet8', { input: [16, 24, 1], labels: ['blue', 'green', 'red'] }))
    const { code, json, stderr } = await fovea(['eval', grey, '--data', photos, '--json'])
    expect(code, stderr).toBe(0)
    expect(json[0].images).toBe(12)
  })

  test('a checkpoint cut short is never read as a whole one', async () => {
    const file = join(temporaryFolder(), 'model.safetensors')
    cpSync(join(out, 'model.safetensors'), file)
    truncateSync(file, 1000)
    const { code, stderr } = await fovea(['eval', file, '--data', photos])
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(oneLine) })
    expect(stderr).toContain('cannot be read as a safetensors file')
  })

  test('a run that is complete says so when it is to go on, and changes nothing', async () => {
    const before = readFileSync(join(out, 'last.safetensors'))
    const { code, json } = await fovea(['train', '--resume', out, '--json'])
    expect(code).toBe(0)
    expect(json).toMatchObject([{ event: 'data' }, { event: 'done', checkpoint: join(out, 'model.safetensors') }])
    expect(readFileSync(join(out, 'last.safetensors')).equals(before)).toBe(true)
  })
})

// Of all: examples.long.test.ts.
test('real images are learned: more than half of 2,000 photos of clothes after three passes over 1,000 others', async () => {
  const args = ['--data', 'fashion-mnist', '--limit', '1000', '--epochs', '3', '--batch', '32']
  const { code, json } = await fovea(['train', 'resnet8', ...args, '--out', join(temporaryFolder(), 'run'), '--json'], {
    env: { FOVEA_DATA: temporaryFolder() },
  })
  expect(code).toBe(0)
  expect(json.at(-1).testAccuracy).toBeGreaterThan(0.5)
})
