/** @file Claims about `fovea prune`: a smaller model, trained on, with an account that adds up; nothing of a user's is replaced. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectionsOf, createModel } from 'fovea'
import { beforeAll, describe, expect, test } from 'vitest'
import { readModel } from '../src/checkpoint-file.js'
import { saveModel } from '../src/index.js'
import { colorFolder, type Finished, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const file = join(folder, 'colors.safetensors')
const out = join(folder, 'pruned')
let photos: string

beforeAll(async () => {
  photos = await colorFolder({ train: 16, val: 4 })
  await saveModel(file, createModel('resnet8', { labels: ['blue', 'green', 'red'], input: [8, 8, 3] }))
})

describe('half of the multiply-adds, and two epochs', () => {
  let run: Finished

  beforeAll(async () => {
    const tuning = ['--epochs', '2', '--batch', '8']
    run = await fovea(['prune', file, '--data', photos, '--amount', '0.5', ...tuning, '--out', out, '--json'])
    expect(run.code, run.stderr).toBe(0)
  })

  test('says what it does, step by step, and ends with the account', () => {
    expect(run.json.map(({ event }) => event)).toEqual(['pruned', 'data', 'epoch', 'epoch', 'done', undefined])
    const { layers } = run.json[0]
    expect(layers).toContainEqual({ name: 'layer3.0.conv1.weight', channels: 64, kept: expect.any(Number) })
    const { before, after } = run.json[5]
    expect(after.multiplyAdds).toBeLessThanOrEqual(before.multiplyAdds / 2)
    expect(before).toMatchObject({ parameters: 77_731, kept: 77_731, removed: 0, fileBytes: statSync(file).size })
    expect(after.kept).toBe(after.parameters)
    expect(after.kept + after.removed).toBe(before.parameters)
    for (const one of [before, after]) {
      expect(one.latencyMs).toBeGreaterThan(0)
      expect(one.accuracy).toBeGreaterThanOrEqual(0)
    }
  })

  test('leaves a model with just those channels, a run that can be repeated, and the account', () => {
    const model = readModel(out)
    const { layers } = run.json[0] as { layers: { name: string; kept: number }[] }
    for (const { name, kept } of layers) {
      const { outputs } = model.graph.nodes.find(node => node.name === name)!
      expect(outputs[0].shape[0], name).toBe(kept)
    }
    expect(JSON.parse(readFileSync(join(out, 'account.json'), 'utf8'))).toMatchObject({ ...run.json[5], layers })
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).request.from).toBe(join(out, 'pruned'))
  })

  test('leaves the account as Markdown, and as one page that needs no other file', () => {
    const markdown = readFileSync(join(out, 'account.md'), 'utf8')
    expect(markdown).toContain('| parameters | 77,731 |')
    expect(markdown, 'what neither has is left out').not.toContain('16 bits')
    const page = readFileSync(join(out, 'account.html'), 'utf8')
    expect(page).toContain('layer3.0.conv1.weight')
    expect(page).not.toMatch(/(src|href)=/)
  })

  test('measures both on the same images, with how sure that is', () => {
    const { before, after } = run.json[5]
    for (const { accuracy, accuracyInterval, images, throughput, calibrationError } of [before, after]) {
      expect(images).toBe(12)
      expect(accuracyInterval[0]).toBeLessThanOrEqual(accuracy)
      expect(accuracyInterval[1]).toBeGreaterThanOrEqual(accuracy)
      expect(throughput.imagesPerSecond).toBeGreaterThan(0)
      expect(calibrationError).toBeGreaterThanOrEqual(0)
    }
    expect(before.changedPredictions).toBe(0)
    expect(after.peakActivationBytes).toBeLessThanOrEqual(before.peakActivationBytes)
    expect(run.json[4].testAccuracy, 'measured once').toBe(after.accuracy)
  })

  test('what it left is evaluated, and pruned again', async () => {
    const again = join(folder, 'again')
    const { code, json } = await fovea(['prune', out, '--data', photos, '--amount', '0.3', '--out', again, '--json'])
    expect(code).toBe(0)
    expect(json.at(-1).before.parameters).toBe(run.json[5].after.parameters)
    const { json: evaluated } = await fovea(['eval', again, '--data', photos, '--json'])
    expect(evaluated[0].accuracy).toBe(json.at(-1).after.accuracy)
  })

  test('a folder that holds a run is refused, and left as it was', async () => {
    const was = readFileSync(join(out, 'model.safetensors'))
    const { code, stderr } = await fovea(['prune', file, '--data', photos, '--amount', '0.5', '--out', out])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('--out') })
    expect(readFileSync(join(out, 'model.safetensors')).equals(was)).toBe(true)
  })
})

test.each([
  ['an account of somebody', 'account.json'],
  ['a page of somebody', 'account.html'],
  ['a model of somebody', 'pruned'],
])('%s is not replaced', async (_, name) => {
  const other = temporaryFolder()
  writeFileSync(join(other, name), 'mine')
  const { code, stderr } = await fovea(['prune', file, '--data', photos, '--amount', '0.5', '--out', other])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining(`'${join(other, name)}' exists already`),
  })
})

test.each([
  [['--amount', '1'], 2, '--amount takes a number above 0 and below 1'],
  [[], 2, '--amount is missing'],
  [['--amount', '0.5', '--method', 'weights'], 2, "--method: unknown 'weights'"],
  [['--amount', '0.5', '--method', 'magnitude', '--importance', 'l1'], 2, '--importance is for channels'],
  [['--amount', '0.5', '--gradual', '--epochs', '1'], 2, '--gradual is for single weights: --method magnitude'],
  [['--amount', '0.5', '--method', 'movement'], 2, '--epochs is missing: --method movement removes weights while'],
  [['--amount', '0.5', '--method', 'magnitude', '--pattern', '2:4'], 2, '--pattern 2:4 removes half of the weights'],
  [['--amount', '0.5', '--iterations', '2'], 2, '--epochs is missing: --iterations trains'],
  [['--amount', '0.5', '--iterations', '1', '--epochs', '1'], 2, '--iterations takes'],
  [['--amount', '0.5', '--method', 'magnitude', '--iterations', '2'], 2, '--iterations is for channels'],
  [['--amount', '0.99', '--iterations', '2', '--epochs', '1'], 1, 'would leave a layer without channels: at most'],
  [['--amount', '0.5', '--distill'], 2, '--epochs is missing: --distill'],
  [['--amount', '0.5', '--learning-rate', '0.1'], 2, '--epochs is missing: --learning-rate'],
  [['--amount', '0.5', '--batch', '8'], 2, '--epochs is missing: --batch'],
  [['--amount', '0.5', '--precision', 'mixed_bfloat16'], 2, '--epochs is missing: --precision'],
  [['--amount', '0.5', '--images', '0'], 2, '--images takes'],
  [['--amount', '0.99'], 1, 'would leave a layer without channels: at most'],
  [['--amount', '0.5', '--importance', 'l3'], 2, "unknown 'l3'"],
])('%j is refused in one line, and nothing is made', async (args, expected, message) => {
  const nowhere = join(folder, 'nowhere')
  const { code, stderr } = await fovea(['prune', file, '--data', photos, ...args, '--out', nowhere])
  expect({ code, stderr }).toEqual({ code: expected, stderr: expect.stringContaining(message) })
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(existsSync(nowhere)).toBe(false)
})

/** How much of the weights of convolutions and matrices is 0. */
function zeros(path: string): number {
  const layers = connectionsOf(readModel(path))
  return 1 - layers.reduce((sum, { kept }) => sum + kept, 0) / layers.reduce((sum, { weights }) => sum + weights, 0)
}

describe('single weights', () => {
  const prune = async (out: string, ...args: string[]) => {
    const finished = await fovea(['prune', file, '--data', photos, ...args, '--out', join(folder, out), '--json'])
    expect(finished.code, finished.stderr).toBe(0)
    return { ...finished, out: join(folder, out), account: finished.json.at(-1) }
  }

  test('are 0 in a smaller file that says so, and stay 0 while what is left is trained', async () => {
    const args = ['--method', 'magnitude', '--amount', '0.8', '--distill', '--epochs', '1', '--batch', '8']
    const { out, account } = await prune('weights', ...args, '--precision', 'mixed_bfloat16')
    const { command, settings } = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))
    expect(settings.precision).toBe('mixed_bfloat16')
    expect(command).toContain(`--pruning kept --distill ${file}`)
    expect(settings.distillation).toEqual({ temperature: 4, weight: 0.9 })
    expect(zeros(out)).toBeCloseTo(0.8, 3)
    const { before, after } = account
    expect(after.parameters).toBe(before.parameters)
    expect(after.kept + after.removed).toBe(before.parameters)
    expect(after.removed / before.parameters).toBeCloseTo(0.8, 1)
    expect(after.fileBytes).toBeLessThan(0.5 * before.fileBytes)
    expect(readFileSync(join(out, 'account.md'), 'utf8')).toContain(
      'dense arithmetic computes with them, and gains no time',
    )
  })

  test('go while the model trains, with movement by itself', async () => {
    const { out, json } = await prune(
      'moved',
      '--method',
      'movement',
      '--amount',
      '0.5',
      '--epochs',
      '1',
      '--batch',
      '4',
    )
    expect(json.map(({ event }) => event)).toEqual(['data', 'epoch', 'done', undefined])
    expect(zeros(out)).toBeCloseTo(0.5, 2)
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).command).toContain(
      '--pruning amount=0.5,importance=movement,scope=global',
    )
  })

  test('go by twos of four', async () => {
    const { out, json } = await prune('fours', '--method', 'taylor', '--pattern', '2:4')
    const { layers } = json[0] as { layers: { name: string; weights: number; kept: number }[] }
    const layer = layers.find(({ name }) => name === 'layer2.0.conv1.weight')!
    expect(layer.kept).toBe(layer.weights / 2)
    const { stderr } = await fovea([
      'train',
      '--from',
      out,
      '--data',
      photos,
      '--epochs',
      '1',
      '--batch',
      '8',
      '--out',
      join(folder, 'dense'),
    ])
    expect(stderr).toMatch(
      /^\d\d\.\d % of its weights are 0, and training changes them: keep them with --pruning kept\n/,
    )
  })
})

test('what is left is measured on images that the original was not trained on, also by eval', async () => {
  const [run, mixed, env] = [join(folder, 'run'), join(folder, 'mixed'), { FOVEA_DATA: join(folder, 'cache') }]
  // Without splits: a fifth of the images is held out.
  for (const split of ['train', 'val']) cpSync(join(photos, split), mixed, { recursive: true })
  const trained = await fovea(['train', 'cnn', '--data', mixed, '--epochs', '1', '--batch', '8', '--out', run], { env })
  expect(trained.code, trained.stderr).toBe(0)
  const out = join(folder, 'known')
  const { json } = await fovea(['prune', run, '--data', mixed, '--amount', '0.3', '--out', out, '--json'], { env })
  const measured = (await fovea(['eval', run, '--data', mixed, '--json'], { env })).json[0]
  expect(json.at(-1).before).toMatchObject({ images: measured.images, accuracy: measured.accuracy })
  const again = await fovea(['eval', out, '--data', mixed, '--json'], { env })
  expect(again.json[0]).toMatchObject({ images: measured.images, accuracy: json.at(-1).after.accuracy })
  expect(again.stderr).toBe('')
})

describe('--analyze', () => {
  test('measures each layer without parts of it, and leaves numbers and a picture', async () => {
    const out = join(folder, 'analysis')
    const { code, json, stderr } = await fovea(['prune', file, '--analyze', '--data', photos, '--out', out, '--json'])
    expect(code, stderr).toBe(0)
    const [{ layers, ratios, accuracy, picture, images }] = json
    expect({ ratios, images }).toEqual({ ratios: [0.25, 0.5, 0.75, 0.9], images: 12 })
    expect(layers).toContainEqual({ name: 'layer3.0.conv1.weight', size: 64, accuracies: expect.any(Array) })
    for (const { accuracies } of layers) expect(accuracies).toHaveLength(4)
    expect(accuracy).toBeGreaterThanOrEqual(0)
    expect(statSync(picture).size).toBeGreaterThan(1000)
    expect(JSON.parse(readFileSync(join(out, 'analysis.json'), 'utf8'))).toMatchObject({ unit: 'channels', layers })
    expect(readdirSync(out)).toHaveLength(2)
  })

  test('of single weights, as a table', async () => {
    const args = ['--analyze', '--method', 'magnitude', '--data', photos, '--out', join(folder, 'weights-analysis')]
    const { stdout } = await fovea(['prune', file, ...args])
    expect(stdout).toMatch(/^layer +weights +−25 % +−50 % +−75 % +−90 %\n/)
    expect(stdout).toContain('layer3.0.conv1.weight')
  })

  test.each([
    [['--amount', '0.5', '--epochs', '2'], '--analyze prunes nothing: leave out --amount, --epochs'],
    [['--resume', folder], '--resume goes on as it was started: leave out'],
  ])('beside %j is refused', async (more, message) => {
    const { code, stderr } = await fovea(['prune', file, '--analyze', '--data', photos, ...more])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) })
  })
})

describe('a pruning that was killed', () => {
  const out = join(folder, 'killed')
  const args = ['prune', file, '--data', '', '--amount', '0.5', '--epochs', '3', '--batch', '8', '--out', out, '--json']

  test('goes on where it was, to the end', async () => {
    args[3] = photos
    const { signal } = await fovea(args, { when: { at: '"epoch":2', act: child => child.kill('SIGKILL') } })
    expect(signal).toBe('SIGKILL')
    const refused = await fovea(args)
    expect(refused.stderr).toContain(`holds a pruning: go on with it (npx fovea prune --resume ${out})`)
    const { code, json, stderr } = await fovea(['prune', '--resume', out, '--json'])
    expect(code, stderr).toBe(0)
    const events = json.map(({ event }) => event)
    expect(events.slice(0, 2), 'nothing is taken again').toEqual(['data', 'epoch'])
    expect(json.at(-1).after.multiplyAdds).toBeLessThanOrEqual(json.at(-1).before.multiplyAdds / 2)
  })

  test('once its account is lost, makes that again and nothing else; once it is done, says so', async () => {
    const account = readFileSync(join(out, 'account.json'), 'utf8')
    rmSync(join(out, 'account.json'))
    const { json } = await fovea(['prune', '--resume', out, '--json'])
    expect(json).toHaveLength(1)
    expect(json[0].after.accuracy).toBe(JSON.parse(account).after.accuracy)
    const done = await fovea(['prune', '--resume', out])
    expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 1, stderr: expect.stringContaining('is done') })
  })

  test.each([
    [['--resume', out, '--amount', '0.3'], 2, '--resume goes on as it was started: leave out --amount'],
    [['--resume', folder], 1, 'there is no pruning in'],
  ])('%j is refused', async (words, expected, message) => {
    const { code, stderr } = await fovea(['prune', ...words])
    expect({ code, stderr }).toEqual({ code: expected, stderr: expect.stringContaining(message) })
  })

  test('with a damaged plan is refused by name', async () => {
    const path = join(out, 'prune.json')
    rmSync(join(out, 'account.json'))
    writeFileSync(path, '{"version":1,"arguments":"x"}')
    const { stderr } = await fovea(['prune', '--resume', out])
    expect(stderr).toContain(`'${path}' is damaged at 'arguments'`)
    expect(readdirSync(out)).not.toContain('account.json')
  })
})
