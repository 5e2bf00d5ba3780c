/** @file Claims about `fovea compare`: every model in every precision, accounted for, timed and trained in the same way. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createModel,
  evaluate,
  type LayerSummary,
  pruneChannels,
  pruneWeights,
  quantizeModel,
  resnet8,
  take,
} from 'fovea'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ComparedModel } from '../src/compare/rows.js'
import { formatSections, sectionsOf } from '../src/compare/tables.js'
import { fashionMnist } from '../src/data/index.js'
import { saveModel } from '../src/index.js'
import { fovea, temporaryFolder } from './run-fovea.js'

/** The part of Fashion-MNIST that ships with the package, whatever else this machine has. */
const env = { FOVEA_DATA: temporaryFolder() }
const clothes = ['--data', 'fashion-mnist', '--limit', '60']
const quick = ['--steps', '1', '--batch', '20']
const precisions = ['float32', 'mixed_bfloat16', 'mixed_float16'] as const

describe('resnet8 in three precisions, trained on a few images', () => {
  const args = ['resnet8', '--precision', precisions.join(','), ...clothes, ...quick, '--epochs', '1', '--seed', '5']
  let models: ComparedModel[]

  beforeAll(async () => {
    const { code, json, stderr } = await fovea(['compare', ...args, '--json'], { env })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    models = json[0].models
  })

  test('is a row each', () => {
    expect(models.map(({ model, precision }) => [model, precision])).toEqual(precisions.map(name => ['resnet8', name]))
    for (const row of models) {
      const { skippedSteps: _, ...others } = row
      expect(Object.keys(others)).toEqual([
        ...[
          'model',
          'architecture',
          'precision',
          'techniques',
          'kept',
          'removed',
          'folded',
          'parameters',
          'multiplyAdds',
          'bytes',
        ],
        ...['activationBytes', 'peakActivationBytes', 'trainingBytes', 'arithmetic', 'latencyMs', 'throughput'],
        ...[
          'batch',
          'stepMs',
          'accuracy',
          'accuracyInterval',
          'images',
          'calibrationError',
          'changedPredictions',
          'layers',
        ],
      ])
      expect(row).toMatchObject({ parameters: 77_898, multiplyAdds: 9_345_920, batch: 20 })
      expect(row).toMatchObject({ architecture: 'resnet8', techniques: [], kept: 77_898, removed: 0, images: 12 })
      for (const ms of [row.stepMs!, row.latencyMs, row.throughput.imagesPerSecond]) expect(ms).toBeGreaterThan(0)
      expect(row.accuracy).toBeGreaterThanOrEqual(0)
      expect(row.accuracy).toBeLessThanOrEqual(1)
    }
    expect(models[0].arithmetic).toBe('native')
    expect(models.map(({ skippedSteps }) => typeof skippedSteps)).toEqual(['undefined', 'undefined', 'number'])
  })

  test('totals are the sums of their parts, and of the layers', () => {
    for (const { parameters, bytes, activationBytes, trainingBytes, layers } of models) {
      const sum = (key: 'parameters' | 'bytes' | 'activationBytes') =>
        layers.reduce((total: number, layer: LayerSummary) => total + layer[key], 0)
      expect(sum('parameters')).toBe(parameters)
      for (const [key, account] of [['bytes', bytes] as const, ['activationBytes', activationBytes] as const]) {
        const { total, ...types } = account
        expect(Object.values(types).reduce((all, part) => all + part, 0)).toBe(total)
        expect(sum(key)).toBe(total)
      }
      const { total, masters, copies, slots } = trainingBytes!
      expect(masters + copies + slots).toBe(total)
      expect({ masters, copies }).toEqual({ masters: 4 * parameters, copies: bytes.bfloat16 + bytes.float16 })
    }
  })

  test('16 bits halve what they hold: all convolutions', () => {
    const [full, ...halves] = models
    for (const { bytes, activationBytes, peakActivationBytes } of halves) {
      expect(bytes.float32 + 2 * (bytes.bfloat16 + bytes.float16)).toBe(full.bytes.total)
      expect(activationBytes.total).toBeLessThan(0.7 * full.activationBytes.total)
      expect(peakActivationBytes).toBeLessThan(0.7 * full.peakActivationBytes)
    }
  })

  test('the accuracy is the one that `fovea train` reaches with the same options', async () => {
    const options = [...clothes, '--batch', '20', '--epochs', '1', '--seed', '5', '--precision', 'mixed_float16']
    const out = join(temporaryFolder(), 'run')
    const { json, stderr } = await fovea(['train', 'resnet8', ...options, '--out', out, '--json'], { env })
    expect(json.at(-1)?.testAccuracy, stderr).toBe(models[2].accuracy)
  })
})

describe('a saved model beside one by name', () => {
  const file = join(temporaryFolder(), 'clothes.safetensors')
  let models: ComparedModel[]

  beforeAll(async () => {
    const { train } = await fashionMnist({ cache: env.FOVEA_DATA })
    await saveModel(file, resnet8({ input: train.imageShape, labels: train.classes, seed: 2 }))
    const { code, json, stderr } = await fovea(['compare', file, 'cnn', ...clothes, ...quick, '--json'], { env })
    expect(code, stderr).toBe(0)
    models = json[0].models
  })

  test('the saved one is measured as it is, the other takes the size of the images and is not trained', async () => {
    expect(models.map(({ model, accuracy }) => [model, typeof accuracy])).toEqual([
      [file, 'number'],
      ['cnn', 'undefined'],
    ])
    expect(models[1].layers[0].output).toEqual([26, 26, 32])
    const { test: heldOut } = await fashionMnist({ cache: env.FOVEA_DATA })
    const model = resnet8({ input: heldOut.imageShape, labels: heldOut.classes, seed: 2 })
    const { accuracy } = await evaluate(model, take(heldOut, 12))
    expect(models[0].accuracy).toBeCloseTo(accuracy, 6)
  })

  test('images that do not fit are refused with the subject in front', async () => {
    const other = join(temporaryFolder(), 'photos.safetensors')
    await saveModel(other, createModel('resnet8'))
    const { code, stdout, stderr } = await fovea(['compare', file, other, ...clothes, ...quick], { env })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(`fovea: ${other}: resnet8 takes images of 32×32×3, fashion-mnist has images of 28×28×1\n`)
  })
})

describe('a float model, a pruned one, one pruned and in integers, and another family', () => {
  const folder = temporaryFolder()
  const out = join(folder, 'comparison')
  const names = ['float', 'channels', 'channels-int8', 'weights-int8'].map(name => join(folder, `${name}.safetensors`))
  let result: { models: ComparedModel[]; front: Record<string, number[]>; measured: object }

  beforeAll(async () => {
    const { train } = await fashionMnist({ cache: env.FOVEA_DATA })
    const some = { images: take(train, 20) }
    const model = resnet8({ input: train.imageShape, labels: train.classes, seed: 2 })
    const { model: channels } = await pruneChannels(model, { amount: 0.4 })
    const { model: weights } = await pruneWeights(model, { amount: 0.8 })
    const [both, sparse] = [await quantizeModel(channels, some), await quantizeModel(weights, some)]
    for (const [i, each] of [model, channels, both.model, sparse.model].entries()) await saveModel(names[i], each)
    const args = ['compare', ...names, 'cnn', ...clothes, ...quick, '--out', out, '--json']
    const { code, json, stderr } = await fovea(args, { env })
    expect({ code, lines: json.length }, stderr).toEqual({ code: 0, lines: 1 })
    result = json[0]
  })

  test('say what was done to each, and what it has left of its architecture', () => {
    const [float, channels, both, sparse, cnn] = result.models
    expect(result.models.map(({ techniques }) => techniques.map(({ name }) => name))).toEqual([
      ...[[], ['channels'], ['channels', 'int8'], ['weights', 'int8'], []],
    ])
    for (const { kept, removed } of [float, channels, both, sparse]) expect(kept + removed).toBe(float.parameters)
    expect(channels.techniques[0].removed).toBeCloseTo(1 - channels.multiplyAdds / float.multiplyAdds, 9)
    expect(both.techniques[0].removed).toBe(channels.techniques[0].removed)
    expect(sparse.techniques[0].removed).toBeCloseTo(0.8, 1)
    expect(sparse.kept).toBeLessThan(0.3 * float.kept)
    expect(sparse.fileBytes, 'half a byte for each weight').toBeLessThan(0.5 * sparse.parameters)
    expect(result.models.map(({ precision }) => precision)).toEqual(['float32', 'float32', 'int8', 'int8', 'float32'])
    expect(cnn).toMatchObject({ architecture: 'cnn', removed: 0 })
    expect(cnn.fileBytes).toBeUndefined()
  })

  test('are measured on the same images, each beside the first of its architecture', () => {
    const [float, ...smaller] = result.models.slice(0, 4)
    expect(float.changedPredictions).toBe(0)
    for (const { images, changedPredictions } of smaller) {
      expect(images).toBe(float.images)
      expect(changedPredictions).toBeLessThanOrEqual(float.images!)
    }
    expect(result.models[4].accuracy, 'it is not trained').toBeUndefined()
  })

  test('those that no other beats are the front, over both costs', () => {
    const { models, front } = result
    const cheapest = models.slice(0, 4).reduce((a, b) => (b.fileBytes! < a.fileBytes! ? b : a))
    expect(Object.keys(front)).toEqual(['latency', 'bytes'])
    expect(front['bytes']).toContain(models.indexOf(cheapest))
    for (const index of Object.values(front).flat()) expect(models[index].accuracy).toBeDefined()
  })

  test('are in a folder as JSON, Markdown and a page that needs no other file', () => {
    expect(JSON.parse(readFileSync(join(out, 'comparison.json'), 'utf8'))).toEqual(result)
    const [markdown, page] = ['md', 'html'].map(end => readFileSync(join(out, `comparison.${end}`), 'utf8'))
    expect(markdown).toMatch(/\| int8 \| channels −\d+ %, int8 \|/)
    expect(markdown).toContain('measured on the 12 test images in fashion-mnist, limited by --limit 60')
    for (const title of ['Parameters', 'Bytes', 'Speed', 'Recognition']) {
      expect(markdown).toContain(`\n## ${title}\n`)
      expect(page).toContain(`<h2>${title}</h2>`)
    }
    expect(page.match(/<svg/g)).toHaveLength(2)
    expect(page).toContain('Pareto front')
    expect(page).not.toMatch(/(src|href)=/)
  })

  test('a folder that has a comparison keeps it, and it is known before the work', async () => {
    const before = readFileSync(join(out, 'comparison.html'), 'utf8')
    const { code, stdout, stderr } = await fovea(['compare', 'cnn', '--out', out], { env })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`'${join(out, 'comparison.html')}' exist already: choose another --out`)
    expect(readFileSync(join(out, 'comparison.html'), 'utf8')).toBe(before)
  })
})

test.each([
  [
    ['resnet21'],
    "there is no file or folder 'resnet21', nor a model: unknown model 'resnet21'; did you mean 'resnet20'",
  ],
  [['resnet8', '--precision', 'float32,float8'], "--precision: unknown 'float8'"],
  [['resnet8', '--precision', 'float32,float64'], '--precision float64 is not available here'],
  [['resnet8', '--epochs', '1'], '--epochs is about images: say which with --data'],
  [['resnet8', '--limit', '9'], '--limit is about images'],
  [
    ['resnet8', '--keep-float32', 'fc,'],
    "--keep-float32 takes patterns over names of layers, separated by commas: 'conv1,",
  ],
  [['resnet8', ...clothes, '--epochs', '1', '--batch', '61'], 'resnet8: --batch 61 is more than the 60 images'],
  [[], "missing required argument 'models'"],
])('wrong usage: fovea compare %j', async (args, hint) => {
  const { code, stdout, stderr } = await fovea(['compare', ...args], { env })
  expect(stderr).toContain(hint)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

test('a pattern that is misspelt is refused with the subject in front', async () => {
  const { code, stderr } = await fovea(['compare', 'cnn', '--keep-float32', 'conv9'])
  expect(code).toBe(1)
  expect(stderr).toContain("fovea: cnn: keepFloat32: 'conv9' matches no convolution or linear layer; there are conv1,")
})

describe('for people', () => {
  const tables = async (...args: string[]) => (await fovea(['compare', ...args, ...quick], { env })).stdout

  test('one model in several precisions has a table of layers, several models have none; all fit 100 columns', async () => {
    const one = await tables('resnet8', '--precision', precisions.join(','))
    expect(one).toMatch(
      /\nlayer1\.0\.conv1 +32×32×16 +2,320 +9\.1 \+ 64\.0 +bfloat16 4\.6 \+ 32\.0 +float16 4\.6 \+ 32\.0\n/,
    )
    expect(one).toMatch(/\nresnet8 +mixed_float16 +78,186 +12,501,632\n/)
    expect(one).toMatch(/\nresnet8 +mixed_float16 +5\.73 KiB +150 KiB +761 KiB +512 KiB +96\.0 KiB\n/)
    const several = await tables('resnet8', 'cnn', '--precision', 'float32,mixed_float16', '--keep-float32', 'fc*')
    expect(several).not.toContain('layer1.0.conv1')
    for (const line of `${one}${several}`.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100)
  })

  test('Ctrl-C while a model is trained ends at once, without tables and with code 130', async () => {
    const { code, stdout, stderr } = await fovea(
      ['compare', 'cnn', 'resnet20', ...clothes, ...quick, '--epochs', '10'],
      { env, when: { at: 'cnn in float32: ', act: child => child.kill('SIGINT') } },
    )
    expect(code).toBe(130)
    expect(stdout).toMatch(/^cnn in float32: [\d.]+ % after training\n$/m)
    expect(stdout).not.toContain('precision')
    expect(stderr).toBe('stopping after this step (Ctrl-C again ends at once)\nfovea: interrupted\n')
  })

  test('a model that diverges is a row too, and its reason a line', () => {
    const none = { total: 0, float32: 0, bfloat16: 0, float16: 0, int8: 0 }
    const row: ComparedModel = {
      ...{ model: 'resnet8', precision: 'mixed_float16', arithmetic: 'native', parameters: 1, multiplyAdds: 1 },
      ...{ architecture: 'resnet8', techniques: [], kept: 1, removed: 0, folded: 0, peakActivationBytes: 1 },
      ...{ bytes: none, activationBytes: none, trainingBytes: { total: 4, masters: 4, copies: 0, slots: 0 } },
      ...{ batch: 1, stepMs: 1, latencyMs: 1, throughput: { batch: 32, imagesPerSecond: 9 } },
      ...{ skippedSteps: 3, diverged: 'the loss is NaN at step 2', layers: [] },
    }
    const text = formatSections(sectionsOf([row]), 100)
    expect(text).toMatch(/ diverged +3\n/)
    expect(text).toContain('resnet8 in mixed_float16 diverged: the loss is NaN at step 2')
    expect(text).not.toContain('widened')
    const tables = (...models: string[]) => formatSections(sectionsOf(models.map(model => ({ ...row, model }))), 100)
    expect(tables('runs/a', 'runs/b'), 'what tells them apart is enough').not.toContain('runs/')
    expect(tables('a', 'runs/a')).toContain('runs/a')
  })
})
