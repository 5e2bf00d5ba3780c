/** @file Claims about what fails: one line on stderr that says why, exit code 2 for wrong usage and 1 for a failed task. */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
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
