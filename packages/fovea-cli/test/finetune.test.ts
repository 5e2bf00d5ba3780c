/** @file Claims about runs that start from a trained model, and about which checkpoints a run keeps. */
import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readCheckpoint } from '../src/checkpoint-file.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const runs = temporaryFolder()
const trained = join(runs, 'trained')
let photos: string
let two: string

beforeAll(async () => {
  photos = await colorFolder({ train: 16, val: 4 })
  two = await colorFolder({ train: 10, val: 4 })
  for (const split of ['train', 'val']) rmSync(join(two, split, 'green'), { recursive: true })
  const args = ['--data', photos, '--epochs', '4', '--batch', '8', '--keep', '2', '--out', trained]
  const { code, stderr } = await fovea(['train', 'resnet8', ...args, '--json'])
  expect(code, stderr).toBe(0)
})

test('--keep leaves the checkpoints of the last epochs, from which a run goes on', async () => {
  const names = readdirSync(trained).filter(name => name.endsWith('.safetensors'))
  expect(names.sort()).toEqual([
    'best.safetensors',
    'epoch-0003.safetensors',
    'epoch-0004.safetensors',
    'last.safetensors',
    'model.safetensors',
    'trained-images.safetensors',
  ])
  const again = join(runs, 'again')
  expect(readCheckpoint(join(trained, 'epoch-0003.safetensors')).training?.epoch).toBe(3)
  await fovea(['train', 'resnet8', '--data', photos, '--epochs', '4', '--batch', '8', '--out', again, '--json'])
  copyFileSync(join(trained, 'epoch-0003.safetensors'), join(again, 'last.safetensors'))
  const { code } = await fovea(['train', '--resume', again, '--json'])
  expect(code).toBe(0)
  const model = (folder: string) => readCheckpoint(join(folder, 'model.safetensors')).model.weights
  expect(model(again)).toEqual(model(trained))
})

describe('--from', () => {
  test('trains a model on other classes: fewer images than a batch, the head first, all in the record', async () => {
    const out = join(runs, 'tuned')
    const args = ['--from', trained, '--data', two, '--epochs', '3', '--out', out, '--json']
    const { code, json, stderr } = await fovea(['train', ...args])
    expect(code, stderr).toBe(0)
    const before = readCheckpoint(trained).model
    const { model } = readCheckpoint(out)
    expect(model.labels).toEqual(['blue', 'red'])
    expect(model.preprocessing).toEqual(before.preprocessing)
    expect(model.weights.get('bn1.running_mean')).toEqual(before.weights.get('bn1.running_mean'))
    expect(json.at(-1).testAccuracy).toBeGreaterThan(0.7)
  })

  test('a linear probe trains the head on features that are computed once; --compare-scratch says what that gains', async () => {
    const out = join(runs, 'probe')
    const how = ['--recipe', 'linear-probe', '--compare-scratch', '--batch', '8']
    const args = ['train', '--from', trained, '--data', two, '--epochs', '3', '--out', out, ...how]
    const { code, stdout, stderr } = await fovea(args)
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(
      /\nwhat the frozen layers make of 28 images was computed once, in \d:\d\d; only the rest trains\n/,
    )
    expect(stdout).toContain('the same from new weights, by recipe adam:\n')
    expect(stdout).toMatch(
      /\nfrom new weights, by recipe adam, .*, from a trained model .*: [+-][\d.]+ points \(95 % interval [+-][\d.]+ to [+-][\d.]+\)\n$/,
    )
    // The data are opened once: nothing else is said of them between the two runs.
    expect(stdout.match(/ images to train on /g)).toHaveLength(1)
    const [before, after] = [trained, out].map(folder => readCheckpoint(folder).model.weights)
    expect(after.get('conv1.weight')).toEqual(before.get('conv1.weight'))
    expect(after.get('fc.weight')).not.toEqual(before.get('fc.weight'))
    // What is done is not done again.
    const { json } = await fovea(['train', '--resume', out, '--json'])
    expect(json.filter(({ event }) => event === 'epoch')).toEqual([])
    expect(json.filter(({ event }) => event === 'done').map(({ run }) => run)).toEqual([undefined, 'scratch'])
    expect(json.at(-1)).toEqual({
      ...{ event: 'gain', points: expect.any(Number), interval: [expect.any(Number), expect.any(Number)], images: 8 },
      pretrained: { accuracy: json.find(({ event }) => event === 'done').testAccuracy, interval: expect.any(Array) },
      scratch: { accuracy: json.at(-2).testAccuracy, interval: expect.any(Array), recipe: 'adam' },
    })
  })

  test.each([
    [['--recipe', 'linear-probe'], '--recipe linear-probe goes on from a trained model: name its file with --from'],
    [
      ['--compare-scratch'],
      '--compare-scratch compares with a run that begins from a trained model: name its file with --from',
    ],
  ])('%j needs a trained model', async (options, message) => {
    const { code, stderr } = await fovea(['train', 'resnet8', '--data', two, '--epochs', '1', ...options])
    expect({ code, stderr }).toEqual({ code: 2, stderr: `fovea: ${message}\n` })
  })

  test('--explain shows the recipe and every group', async () => {
    const { stdout } = await fovea(['train', '--from', trained, '--explain', '--json'])
    const { recipe, normStatistics, groups } = JSON.parse(stdout)
    expect([recipe, normStatistics, groups[0].match]).toEqual(['finetune', 'running', 'fc.weight'])
  })

  test('what the file does not hold is refused', async () => {
    const wrong = await fovea(['train', 'cnn', '--from', trained, '--data', two, '--epochs', '1'])
    expect(wrong.stderr).toContain('holds a resnet8, not a cnn')
    expect(wrong.code).toBe(1)
    const missing = await fovea(['train', '--from', join(runs, 'none'), '--data', two, '--epochs', '1'])
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('none')
  })
})

describe('--augment', () => {
  const explained = async (list: string) => fovea(['train', 'resnet20', '--augment', list, '--explain', '--json'])

  test('replaces what the recipe has of the same kind, and adds the rest', async () => {
    const { stdout } = await explained('resized-crop=0.5,cutmix,cutout=12')
    const { augmentation, labels } = JSON.parse(stdout)
    expect(augmentation).toEqual({
      flip: 'random',
      resizedCrop: { scale: [0.5, 1], ratio: [3 / 4, 4 / 3] },
      mix: { type: 'cutmix', alpha: 1 },
      erase: { type: 'cutout', size: 12 },
    })
    expect(labels).toBe('one-hot')
  })

  test.each([
    ['cutmiks', "did you mean 'cutmix'?"],
    ['cutout=x', "cutout takes a number above 0 (the side in pixels), not 'x'"],
    ['cutmix=0', "cutmix takes a number above 0 (alpha), not '0'"],
    ['cutmix=1=2', "not '1=2'"],
    ['resized-crop=2', 'above 0 and at most 1'],
    ['cutmix,mixup', "'cutmix' and 'mixup' are of one kind (mix): give one"],
    ['trivial-augment=3', "trivial-augment takes no number, not '3'"],
  ])('%s is refused', async (list, message) => {
    const { code, stderr } = await explained(list)
    expect(stderr).toContain(message)
    expect(code).toBe(2)
  })
})
