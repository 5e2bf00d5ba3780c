import { existsSync, readFileSync, truncateSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { type Augmentation, type Batch, type BatchOptions, batchesOf, type Dataset, FoveaError, subset } from 'fovea'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type StoredImages, sharedBytes, sharedLabels, storedDataset } from '../../src/data/stored-dataset.js'
import { preparedAhead } from '../../src/data/worker-loader.js'
import { temporaryFolder } from './temporary-folder.js'

const temporary = temporaryFolder()

/** The worker is plain JavaScript: these tests need the build (`npm run build`). */
const worker = new URL('../../dist/data/batch-worker.js', import.meta.url)
const built = existsSync(worker)

const stored = (length = 50): StoredImages => {
  const bytes = sharedBytes(length * 48)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31) % 256
  const labels = sharedLabels(Array.from({ length }, (_, i) => i % 5))
  const classes = ['a', 'b', 'c', 'd', 'e']
  return { name: 'small', imageShape: [4, 4, 3], classes, fingerprint: 'x', labels, pixels: { bytes } }
}

const normalization = { mean: [0.5, 0.4, 0.3], deviation: [0.2, 0.3, 0.4] }
const cropAndFlip: Augmentation = { crop: { padding: 1 }, flip: 'random' }
const training = (epoch: number, augmentation = cropAndFlip): BatchOptions => ({
  batchSize: 8,
  normalization,
  training: { seed: 3, epoch, augmentation },
})

async function collect(data: Dataset, options: BatchOptions): Promise<Batch[]> {
  const batches: Batch[] = []
  for await (const { images, labels, ...rest } of batchesOf(data, options)) {
    batches.push({ images: Float32Array.from(images), labels: Int32Array.from(labels), ...rest })
  }
  return batches
}

describe.runIf(built)('batches from a worker', () => {
  it('are the bits of batches prepared inline: training, resumed, evaluation, subsets', async () => {
    const inline = storedDataset(stored())
    const ahead = preparedAhead(stored(), worker)
    for (const options of [
      training(0),
      training(1),
      { ...training(1), firstBatch: 4 },
      { ...training(1), firstBatch: 6 },
      { batchSize: 7, normalization },
      { batchSize: 100, normalization },
      { batchSize: 100, normalization, view: { shift: [1, -1], flip: true } as const },
    ]) {
      expect(await collect(ahead, options)).toEqual(await collect(inline, options))
    }
    const part = [40, 3, 3, 17, 21, 9, 30, 8, 11]
    expect(await collect(subset(ahead, part), training(2))).toEqual(await collect(subset(inline, part), training(2)))
  })

  it.each<Augmentation>([
    { crop: { padding: 2, fill: 'reflect' }, flip: 'alternating' },
    { resizedCrop: {}, flip: 'random', erase: { type: 'random-erasing' } },
    { policy: { type: 'rand-augment' }, erase: { type: 'cutout', size: 2 } },
    { policy: { type: 'trivial-augment' }, mix: { type: 'mixup', alpha: 0.4 } },
    { colorJitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }, mix: { type: 'cutmix', alpha: 1 } },
  ])('are the bits of batches prepared inline: %j', async augmentation => {
    const ahead = preparedAhead(stored(), worker)
    for (const options of [training(0, augmentation), { ...training(1, augmentation), firstBatch: 3 }]) {
      const batches = await collect(ahead, options)
      expect(batches).toEqual(await collect(storedDataset(stored()), options))
      expect(batches.every(({ mix }) => mix?.labels.length === (augmentation.mix && 8))).toBe(true)
    }
  })

  it('come from a file as they do from memory', async () => {
    const memory = stored()
    const { bytes } = memory.pixels as { bytes: Uint8Array }
    const file = temporary.write('pixels', Buffer.concat([Buffer.alloc(5), bytes]))
    const ahead = preparedAhead({ ...memory, pixels: { file, offset: 5 } }, worker)
    expect(await collect(ahead, training(0))).toEqual(await collect(storedDataset(memory), training(0)))
  })

  it('go on being right after passes that stopped early, and in passes side by side', async () => {
    const ahead = preparedAhead(stored(), worker)
    for (let i = 0; i < 5; i++) for await (const _ of batchesOf(ahead, training(i))) break
    const expected = await Promise.all([0, 1].map(epoch => collect(storedDataset(stored()), training(epoch))))
    expect(await Promise.all([0, 1].map(epoch => collect(ahead, training(epoch))))).toEqual(expected)
  })

  it('fail with the message of the worker, which goes on serving', async () => {
    const memory = stored()
    const file = temporary.write('pixels', (memory.pixels as { bytes: Uint8Array }).bytes)
    const ahead = preparedAhead({ ...memory, pixels: { file, offset: 0 } }, worker)
    expect(await collect(ahead, training(0))).toHaveLength(6)
    truncateSync(file, 500)
    await expect(collect(ahead, training(1))).rejects.toThrow(/data set 'small': '.*pixels' ends within image \d+/)
    const start = { batchSize: 5, normalization, indices: Uint32Array.of(0, 1, 2, 3, 4) }
    expect(await collect(ahead, start)).toHaveLength(1)
  })

  it('refuse wrong options at once', () => {
    const ahead = preparedAhead(stored(), worker)
    expect(() => batchesOf(ahead, { ...training(0), batchSize: 51 })).toThrow('larger than the 50 training images')
  })
})

/** Ways to die, as the worker's code. The flag of the heap's size is for workers that start from now on. */
const deaths: [name: string, how: RegExp, die: string][] = [
  ['ends', /stopped \(exit code 3\)/, 'process.exit(3)'],
  ['throws', /failed: no decoder/, 'throw new Error("no decoder")'],
  [
    'has no memory left',
    /failed: .*memory limit/,
    'for (const all = []; ; ) all.push(new Array(1000).fill(all.length))',
  ],
]

describe('a worker that dies', () => {
  beforeAll(() => setFlagsFromString('--max-old-space-size=24'))
  afterAll(() => setFlagsFromString('--max-old-space-size=0'))

  it.each(deaths)('twice in a row is an error of the pass: it %s', async (_, how, die) => {
    const atOnce = temporary.write('at-once.mjs', die)
    const asked = temporary.write(
      'asked.mjs',
      `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { ${die} })`,
    )
    for (const path of [atOnce, asked]) {
      const error = await collect(preparedAhead(stored(), pathToFileURL(path)), training(0)).catch((e: unknown) => e)
      expect(error).toBeInstanceOf(FoveaError)
      expect(String(error)).toMatch(how)
      expect(String(error)).toMatch(
        /data set 'small': the worker that prepares its batches .*; so did the one before it$/,
      )
    }
  })

  const inTheMiddle = 'is replaced in the middle of passes, which keep their bits: it %s'
  it.runIf(built).each(deaths)(inTheMiddle, async (_, __, die) => {
    // Instead of giving the third batch, and the eleventh that it or the next prepares: two passes are at most six batches
    // ahead, so that one of the second worker has arrived for sure before it dies.
    const prepared = temporary.path('prepared')
    const source = `
      import { appendFileSync, readFileSync } from 'node:fs'
      import { parentPort } from 'node:worker_threads'
      const { postMessage } = parentPort
      parentPort.postMessage = (...reply) => {
        appendFileSync('${prepared}', '.')
        if ([3, 11].includes(readFileSync('${prepared}').length)) { ${die} }
        postMessage.apply(parentPort, reply)
      }
      await import('${worker}')`
    const ahead = preparedAhead(stored(), pathToFileURL(temporary.write('worker.mjs', source)))
    const expected = await Promise.all([0, 1].map(epoch => collect(storedDataset(stored()), training(epoch))))
    expect(await Promise.all([0, 1].map(epoch => collect(ahead, training(epoch))))).toEqual(expected)
    expect(await collect(ahead, training(1))).toEqual(expected[1])
    expect(readFileSync(prepared).length).toBeGreaterThanOrEqual(18 + 2)
  })
})

it('without a compiled worker, batches are prepared inline', () => {
  expect(preparedAhead(stored()).batches).toBeUndefined()
})
