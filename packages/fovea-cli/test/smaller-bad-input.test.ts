/**
 * @file Claims about what `fovea prune`, `quantize` and `compress` are given and cannot work with: one line says why, the file stays as
 * it was, and nothing is left where the result was to be. A layer that cannot be quantized stays float32, and is listed.
 */
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, type Model, prepareQuantization, pruneWeights } from 'fovea'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { initialWeights } from '../../fovea/src/nn/initializers.js'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { conv2d } from '../../fovea/src/ops/conv2d.js'
import { flatten } from '../../fovea/src/ops/flatten.js'
import { globalAveragePool } from '../../fovea/src/ops/global-average-pool.js'
import { linear } from '../../fovea/src/ops/linear.js'
import { imageFolder } from '../src/data/index.js'
import { saveModel } from '../src/index.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const env = { FOVEA_DATA: join(folder, 'cache') }
const [file, photos, out] = ['colors.safetensors', 'photos', 'out'].map(name => join(folder, name))
const labels = ['blue', 'green', 'red']
const input = [8, 8, 3] as const
const commands = {
  prune: ['prune', '--amount', '0.3'],
  quantize: ['quantize'],
  compress: ['compress', '--target', 'bytes=0.5x'],
} as const

beforeAll(async () => {
  await colorFolder({ train: 8, val: 2 }, photos)
  await saveModel(file, createModel('resnet8', { labels, input }))
})

/** What a command says in one line. */
async function refused([verb, ...options]: readonly string[], model: string, data = photos): Promise<string> {
  const before = readFileSync(model)
  const batch = verb === 'compress' ? ['--batch', '8'] : []
  const { code, stdout, stderr } = await fovea([verb, model, '--data', data, ...options, ...batch, '--out', out], {
    env,
  })
  expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: expect.any(String) })
  expect(readFileSync(model).equals(before)).toBe(true)
  expect(existsSync(out), 'something is left').toBe(false)
  return stderr.trim().split('\n').at(-1)!
}

/** A folder of photos of one colour. */
async function flat(path: string, color: readonly number[]): Promise<string> {
  const raw = { width: 8, height: 8, channels: 3 } as const
  const pixels = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => color[i % 3])
  for (const place of ['train', 'val'].flatMap(split => labels.map(name => join(path, split, name)))) {
    mkdirSync(place, { recursive: true })
    for (const name of ['0.png', '1.png']) await sharp(pixels, { raw }).png().toFile(join(place, name))
  }
  return path
}

describe.each(Object.entries(commands))('%s', (verb, words) => {
  test('no images', async () => {
    const empty = join(folder, `${verb}-empty`)
    for (const name of labels) mkdirSync(join(empty, 'train', name), { recursive: true })
    expect(await refused(words, file, empty)).toContain(`no images in '${join(empty, 'train')}'`)
  })

  test('images of another size', async () => {
    const packed = join(folder, `${verb}.fovea-data`)
    await fovea(['data', 'pack', photos, '--size', '16', '--out', packed], { env })
    expect(await refused(words, file, packed)).toContain(
      'resnet8 takes images of 8×8×3, photos has images of 16×16×3; pack the folder again with --size 8',
    )
    truncateSync(packed, 5000)
    expect(await refused(words, file, packed)).toContain(`'${packed}' is damaged: it was cut short`)
  })

  test.runIf(verb !== 'prune')('images of one color, of which no range can be learned', async () => {
    for (const [name, color] of Object.entries({ black: [0, 0, 0], red: [210, 40, 30] })) {
      const data = await flat(join(folder, `${verb}-${name}`), color)
      expect(await refused(words, file, data)).toContain(
        `all 6 images of '${verb}-${name}/train' are of one color: ranges are found on photos`,
      )
    }
  })

  test('a model in integers, and one that is on its way there', async () => {
    const integers = join(folder, `${verb}-integers`)
    const made = await fovea(['quantize', file, '--data', photos, '--out', integers], { env })
    expect(made.code, made.stderr).toBe(0)
    expect(await refused(words, join(integers, 'model.safetensors'))).toContain(
      "resnet8 is quantized: 'conv1.weight' is int8. Start from the model that it was made from",
    )
    const half = join(folder, `${verb}-half.safetensors`)
    const { train } = await imageFolder(photos, { size: 8, cache: env.FOVEA_DATA })
    await saveModel(
      half,
      (await prepareQuantization(createModel('resnet8', { labels, input }), { images: train })).model,
    )
    expect(await refused(words, half)).toContain(`'${half}' is in the middle of a quantization`)
  })

  test('a file that was cut short, wherever', async () => {
    const whole = readFileSync(file)
    const cut = join(folder, `${verb}-cut.safetensors`)
    for (const [length, said] of [
      [0, 'is empty'],
      [5, 'is cut short after 5 bytes'],
      [8, 'is cut short after 8 bytes'],
      ...[2000, whole.length >> 1, whole.length - 1].map(
        length => [length, 'cannot be read as a safetensors file'] as const,
      ),
    ] as const) {
      writeFileSync(cut, whole.subarray(0, length))
      expect(await refused(words, cut)).toContain(`'${cut}' ${said}`)
    }
  })
})

test.each([
  [['--amount', '0.99'], 'would leave a layer without channels: at most'],
  [['--amount', '0.9999', '--method', 'magnitude'], "without weights: choose a smaller amount, or scope 'uniform'"],
  [
    ['--amount', '0.9999', '--method', 'magnitude', '--scope', 'uniform'],
    "would leave 'conv1.weight' without weights: choose a smaller amount",
  ],
  [['--amount', '0.9999', '--method', 'movement', '--epochs', '1'], '--amount 0.9999 leaves 8 weights for 10 layers'],
  [
    ['--amount', '0.999', '--method', 'magnitude', '--gradual', '--scope', 'uniform', '--epochs', '1'],
    "--amount 0.999 would leave 'conv1.weight' without weights: choose a smaller one",
  ],
])('prune %j, which would remove a layer', async (options, message) => {
  expect(await refused(['prune', ...options], file)).toContain(message)
})

/** A network that reads one weight twice. */
function tied(): Model {
  const builder = new GraphBuilder()
  const start = { type: 'normal', mode: 'fanIn', gain: 1 } as const
  const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const
  const weight = (name: string, ...shape: number[]) => builder.parameter(name, shape, start)
  const image = builder.input('image', [1, ...input])
  const first = builder.emit(conv2d, [image, weight('first.weight', 8, 3, 3, 3)], attrs, 'first')
  const shared = weight('shared.weight', 8, 8, 3, 3)
  const again = ['second', 'third'].reduce((x, name) => builder.emit(conv2d, [x, shared], attrs, name), first)
  const means = builder.emit(flatten, [builder.emit(globalAveragePool, [again], {}, 'pool')], {}, 'flat')
  builder.output('logits', builder.emit(linear, [means, weight('fc.weight', 3, 8)], {}, 'fc'))
  const graph = builder.build()
  const normalization = { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] }
  const weights = initialWeights(graph, 1)
  return { name: 'tied', graph, weights, labels, preprocessing: { size: input, ...normalization } }
}

test('layers that cannot be quantized, as they share a weight, stay float32 and are listed', async () => {
  const own = join(folder, 'tied.safetensors')
  await saveModel(own, tied())
  const result = join(folder, 'tied-integers')
  const { code, stdout, stderr } = await fovea(['quantize', own, '--data', photos, '--out', result], { env })
  expect(code, stderr).toBe(0)
  for (const [name, dtype] of Object.entries({ first: 'int8', second: 'float32', third: 'float32', fc: 'int8' })) {
    expect(stdout).toMatch(new RegExp(`^${name} +${dtype}\\b`, 'm'))
  }
  const { layers } = JSON.parse(readFileSync(join(result, 'account.json'), 'utf8'))
  expect(layers).toContainEqual({ name: 'second', dtype: 'float32' })
  const evaluated = await fovea(['eval', result, '--data', photos, '--json'], { env })
  expect(evaluated.code, evaluated.stderr).toBe(0)
})

test('weights that are 0 already count: what would take none more is refused', async () => {
  const model = createModel('resnet8', { labels, input })
  const { model: sparse } = await pruneWeights(model, { amount: 0.4 })
  const path = join(folder, 'sparse.safetensors')
  await saveModel(path, sparse)
  for (const training of [[], ['--gradual', '--epochs', '1']]) {
    const words = ['prune', '--method', 'magnitude', '--amount', '0.3', ...training]
    expect(await refused(words, path)).toContain(
      '40.0 % of the weights are 0 already, so --amount 0.3 takes none: ask for more',
    )
  }
})
