/** @file Claims about the command line as programs see it: JSON on stdout, one line on stderr, exit codes 0, 1, 2. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel } from 'fovea'
import { beforeAll, describe, expect, test } from 'vitest'
import { saveModel } from '../src/index.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

/** Wrong usage and failed tasks alike are one line that starts so. */
const oneLine = /^fovea: [^\n]+\n$/

describe('wrong usage ends with 2 and one line that offers what was meant', () => {
  test.each([
    [['trian'], 'Did you mean train?'],
    [['train', 'resnet20', '--data', 'cifar10', '--epochs', '1', '--bacth', '8'], 'Did you mean --batch?'],
    [['train', 'resnet20', '--epochs', '1'], '--data'],
    [['train', 'resnet21', '--data', 'cifar10', '--epochs', '1'], "did you mean 'resnet20'"],
    [['train', 'resnet20', '--data', 'cifar10', '--epochs', '0'], '--epochs takes a whole number of at least 1'],
    [['train', 'resnet20', '--data', 'cifar10', '--engine', 'onednm'], "did you mean 'onednn'?"],
    [
      ['train', 'resnet20', '--data', '.', '--epochs', '1', '--size', '99999'],
      '--size takes a whole number from 1 to 4,096',
    ],
    [['data', 'pack', '.', '--size', '99999'], '--size takes a whole number from 1 to 4,096'],
    [['summary', 'resnet20', '--precision', 'float8'], "did you mean 'float32'"],
    [['summary', 'resnet20', '--input', '32'], 'HEIGHTxWIDTHxCHANNELS'],
    [['summary', 'resnet20', '--classes', '99999999999'], '--classes takes a whole number from 2 to 100,000'],
    [['summary'], "missing required argument 'model'"],
  ])('fovea %j', async (args, hint) => {
    const { code, stdout, stderr } = await fovea(args)
    expect(stderr).toContain(hint)
    expect(stderr).toMatch(oneLine)
    expect(stderr).not.toContain('error:')
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  test('train --explain prints every number of a run and starts none', async () => {
    const args = ['train', 'resnet20', '--recipe', 'paper', '--batch', '64', '--seed', '3', '--explain']
    const { code, stdout } = await fovea([...args, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      model: 'resnet20',
      recipe: 'paper',
      steps: 64_000,
      batchSize: 64,
      optimizer: { type: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.0001 },
      schedule: { type: 'step', rate: 0.05, milestones: [0.5, 0.75], factor: 0.1, warmupSteps: 0 },
      groups: [{ match: '*', rate: 1, weightDecay: 0.0001, from: 0 }],
      loss: 'cross-entropy',
      labels: 'index',
      labelSmoothing: 0,
      augmentation: { crop: { padding: 4, fill: 'zero' }, flip: 'random' },
      accumulate: 1,
      normStatistics: 'batch',
      precision: 'float32',
      seed: 3,
      testTimeAugmentation: 'none',
    })
    const set = ['--set', 'optimizer.momentum=0.8,augmentation.flip=none,optimizer.nesterov=true']
    expect(JSON.parse((await fovea([...args, ...set, '--json'])).stdout)).toMatchObject({
      optimizer: { momentum: 0.8, nesterov: true },
      augmentation: { crop: { padding: 4, fill: 'zero' } },
    })
    const wrong = await fovea([...args, '--set', 'optimizer.momentun=1'])
    const nearest = "--set optimizer.momentun: unknown setting; did you mean 'optimizer.momentum'?"
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining(nearest) })
    expect((await fovea(args)).stdout).toMatch(/schedule\.milestones +0\.5, 0\.75\n/)
    expect((await fovea(['train', 'speednet', '--explain'])).stdout).toMatch(/groups\.0\.match +\*\.norm\?\.bias\n/)
  })

  test.each([[[]], [['data']]])('fovea %j, without a command, shows which there are and nothing more', async args => {
    const { code, stdout, stderr } = await fovea(args)
    expect(stderr).toMatch(/^Usage: fovea .*\n {2}help \[command\][^\n]*\n/s)
    expect(stderr).not.toContain('outputHelp')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})

describe('a failed task ends with 1 and one line that names the file, layer or option', () => {
  const train = (data: string): string[] => [
    'train',
    'cnn',
    '--data',
    data,
    '--epochs',
    '1',
    '--out',
    temporaryFolder(),
  ]

  test('a size for images that have theirs already', async () => {
    const { code, stderr } = await fovea([...train('fashion-mnist'), '--size', '64'])
    expect(stderr).toMatch(oneLine)
    expect(stderr).toContain("'fashion-mnist' has images of 28×28, not 64×64: a size (--size) is for folders of images")
    expect(code).toBe(1)
  })

  test('data that is not there', async () => {
    const { code, stderr } = await fovea(train('/nowhere/photos'))
    expect(stderr).toMatch(oneLine)
    expect(stderr).toContain('/nowhere/photos')
    expect(code).toBe(1)
  })

  test('an empty folder, and a folder of one class', async () => {
    const empty = temporaryFolder()
    expect(await fovea(train(empty))).toMatchObject({ code: 1, stderr: expect.stringMatching(oneLine) })
    mkdirSync(join(empty, 'cats'))
    writeFileSync(join(empty, 'cats', '1.png'), 'not an image')
    expect(await fovea(train(empty))).toMatchObject({ code: 1, stderr: expect.stringMatching(oneLine) })
  })

  test('a truncated image is named and counted, and left out only with --skip-bad', async () => {
    const folder = await colorFolder({ train: 8, val: 4 })
    const bad = join(folder, 'train', 'red', '0.png')
    truncateSync(bad, 60)
    const env = { FOVEA_DATA: temporaryFolder() }
    const refused = await fovea([...train(folder), '--batch', '4'], { env })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(oneLine) })
    expect(refused.stderr).toContain('1 of 36 images')
    expect(refused.stderr).toContain('0.png')
    const skipped = await fovea(['data', 'info', folder, '--skip-bad', '--json'], { env })
    expect(skipped.code).toBe(0)
    expect(skipped.json[0].train).toEqual([8, 8, 7])
  })

  test('a file that is no checkpoint', async () => {
    const file = join(temporaryFolder(), 'model.safetensors')
    writeFileSync(file, 'no tensors here')
    const { code, stderr } = await fovea(['eval', file, '--data', 'fashion-mnist'])
    expect(stderr).toMatch(oneLine)
    expect(stderr).toContain('model.safetensors')
    expect(code).toBe(1)
  })

  test.runIf(process.platform === 'linux').each([
    ['predict', '/dev/zero', 'photo.jpg'],
    ['eval', '/dev/zero', '--data', 'fashion-mnist'],
    ['summary', '/dev/zero'],
    ['parity', '/dev/zero'],
  ])('a file without an end is not read: fovea %s %s', async (...args) => {
    const { code, stderr } = await fovea(args)
    expect(stderr).toMatch(oneLine)
    expect(stderr).toContain("cannot read '/dev/zero': it is a device or a pipe, not a file")
    expect(code).toBe(1)
  })

  test('FOVEA_DEBUG=1 shows the stack', async () => {
    const { stderr } = await fovea(train('/nowhere/photos'), { env: { FOVEA_DEBUG: '1' } })
    expect(stderr).toMatch(/\n\s+at /)
  })
})

describe('summary', () => {
  test('--json lists each layer, and the layers add up to the whole', async () => {
    const { code, json, stderr } = await fovea([
      'summary',
      'resnet20',
      '--classes',
      '10',
      '--input',
      '32x32x3',
      '--json',
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [summary] = json
    expect(summary).toMatchObject({ model: 'resnet20', parameters: 269_722 })
    const sum = (key: string): number =>
      summary.layers.reduce((total: number, layer: Record<string, number>) => total + layer[key], 0)
    expect(sum('parameters')).toBe(summary.parameters)
    expect(sum('multiplyAdds')).toBe(summary.multiplyAdds)
    expect(summary.bytes.total).toBe(sum('bytes'))
    expect(summary.layers[0]).toMatchObject({ name: 'conv1', op: 'conv2d', precision: 'float32' })
  })

  test('for people it is a table that fits 100 columns', async () => {
    const { stdout } = await fovea(['summary', 'efficientnet-b0'])
    expect(stdout).toContain('parameters')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })
})

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

  test('weights of another model are refused with the tensors that are missing', async () => {
    const file = join(out, 'model.safetensors')
    const env = { FOVEA_DATA: join(temporaryFolder(), 'cache') }
    const { code, stderr } = await fovea(['eval', file, '--model', 'resnet20', '--data', photos], { env })
    expect(existsSync(env.FOVEA_DATA), 'images were decoded in vain').toBe(false)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(oneLine) })
    expect(stderr).toContain(`'${file}' does not fit resnet20: it lacks layer1.1.conv1.weight`)
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
    expect(stderr).toContain('is not a safetensors file')
  })

  test('a run that is complete says so when it is to go on, and changes nothing', async () => {
    const before = readFileSync(join(out, 'last.safetensors'))
    const { code, json } = await fovea(['train', '--resume', out, '--json'])
    expect(code).toBe(0)
    expect(json).toMatchObject([{ event: 'data' }, { event: 'done', checkpoint: join(out, 'model.safetensors') }])
    expect(readFileSync(join(out, 'last.safetensors')).equals(before)).toBe(true)
  })
})

test('real images are learned: three in four of 2,000 photos of clothes after four passes', async () => {
  const args = ['--data', 'fashion-mnist', '--limit', '2000', '--epochs', '4', '--batch', '32']
  const { code, json } = await fovea(['train', 'resnet8', ...args, '--out', join(temporaryFolder(), 'run'), '--json'], {
    env: { FOVEA_DATA: temporaryFolder() },
  })
  expect(code).toBe(0)
  expect(json.at(-1).testAccuracy).toBeGreaterThan(0.75)
})

test('help lists every command', () => {
  const help = execFileSync(process.execPath, [join(import.meta.dirname, '../bin/fovea.mjs'), '--help'], {
    encoding: 'utf8',
  })
  for (const verb of [
    'train',
    'find-rate',
    'eval',
    'predict',
    'summary',
    'compare',
    'prune',
    'bench',
    'parity',
    'data',
    'demo',
  ]) {
    expect(help).toContain(`\n  ${verb}`)
  }
})
