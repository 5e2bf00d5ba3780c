/** @file Claims about batching: who is alone does not wait, who comes together is computed together, each gets its own row. */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Batcher, type BatchModel } from '../../src/serve/batcher.js'

/** Twice each image's first pixel; a batch takes as long as the test wants. */
function doubling(batchSizes: readonly number[]) {
  const batches: number[] = []
  let letGo: (() => void)[] = []
  const model: BatchModel = {
    batchSizes,
    async run(images, count) {
      batches.push(count)
      await new Promise<void>(resolve => letGo.push(resolve))
      const size = images.length / count
      return Float32Array.from({ length: count }, (_, i) => 2 * images[i * size])
    },
  }
  /** Ends the batch that is being computed, and the next ones. */
  const finish = async (): Promise<void> => {
    while (letGo.length > 0) {
      const now = letGo
      letGo = []
      for (const go of now) go()
      await vi.advanceTimersByTimeAsync(0)
    }
  }
  return { model, batches, finish }
}

/** An image that is decoded, or fails, when the test says so. */
function later() {
  let [resolve, reject]: [(pixels: Uint8Array) => void, (error: Error) => void] = [() => {}, () => {}]
  const promise = new Promise<Uint8Array>((...settle) => {
    ;[resolve, reject] = settle
  })
  return { promise, resolve, reject }
}

const never = new AbortController().signal
const image = (level: number) => async () => Uint8Array.of(level, 0)
const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('who is alone does not wait; who comes meanwhile is computed together, in batches that are full', async () => {
  const { model, batches, finish } = doubling([1, 4])
  const batcher = new Batcher(model, { maxDelayMs: 1000, maxQueue: 64 })
  const first = batcher.predict(image(1), never)
  await settle()
  expect(batches).toEqual([1])
  const others = [2, 3, 4, 5, 6, 7].map(level => batcher.predict(image(level), never))
  await settle()
  expect(batcher.length).toBe(6)
  await finish()
  expect([await first, ...(await Promise.all(others))].map(row => row[0])).toEqual([2, 4, 6, 8, 10, 12, 14])
  expect(batches).toEqual([1, 4, 1, 1])
})

test('a batch waits for images that are being decoded, but no longer than it may', async () => {
  const { model, batches, finish } = doubling([1, 2])
  const batcher = new Batcher(model, { maxDelayMs: 5, maxQueue: 64 })
  const decoding = later()
  const slow = batcher.predict(() => decoding.promise, never)
  const quick = batcher.predict(image(1), never)
  await vi.advanceTimersByTimeAsync(4)
  expect(batches).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(batches).toEqual([1])
  decoding.resolve(Uint8Array.of(2, 0))
  await settle()
  await finish()
  expect([(await quick)[0], (await slow)[0]]).toEqual([2, 4])
})

test('images that are ready before the wait is over start their batch at once', async () => {
  const { model, batches, finish } = doubling([1, 2])
  const batcher = new Batcher(model, { maxDelayMs: 1000, maxQueue: 64 })
  const decoding = later()
  const both = [batcher.predict(() => decoding.promise, never), batcher.predict(image(1), never)]
  await settle()
  decoding.resolve(Uint8Array.of(2, 0))
  await settle()
  expect(batches).toEqual([2])
  await finish()
  expect((await Promise.all(both)).map(row => row[0])).toEqual([4, 2])
})

test('an image that cannot be decoded holds up nobody', async () => {
  const { model, batches, finish } = doubling([1, 2])
  const batcher = new Batcher(model, { maxDelayMs: 1000, maxQueue: 64 })
  const decoding = later()
  const bad = batcher.predict(() => decoding.promise, never)
  const good = batcher.predict(image(3), never)
  await settle()
  decoding.reject(new Error('no image'))
  await expect(bad).rejects.toThrow('no image')
  await settle()
  expect(batches).toEqual([1])
  await finish()
  expect((await good)[0]).toBe(6)
})

test('who leaves is taken out of the queue; a model that fails fails its batch, and goes on', async () => {
  const { model, batches, finish } = doubling([1])
  const run = vi.fn(model.run)
  const batcher = new Batcher({ ...model, run }, { maxDelayMs: 0, maxQueue: 64 })
  const first = batcher.predict(image(1), never)
  await settle()
  const leaving = new AbortController()
  const left = batcher.predict(image(2), leaving.signal)
  run.mockRejectedValueOnce(new Error('out of memory'))
  const failing = batcher.predict(image(3), never)
  const last = batcher.predict(image(4), never)
  await settle()
  leaving.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  const failed = expect(failing).rejects.toThrow('out of memory')
  await finish()
  await failed
  await finish()
  expect([(await first)[0], (await last)[0]]).toEqual([2, 8])
  expect(batches).toEqual([1, 1])
  await expect(batcher.predict(image(5), leaving.signal)).rejects.toThrow('gone')
})

test('whenever images come, each gets its own row', async () => {
  vi.useRealTimers()
  const arrivals = fc.array(fc.record({ level: fc.integer({ min: 0, max: 255 }), ticks: fc.nat(3) }), { maxLength: 30 })
  const sizes = fc.constantFrom<number[]>([1], [1, 4], [1, 4, 16])
  await fc.assert(
    fc.asyncProperty(arrivals, sizes, async (images, batchSizes) => {
      const seen: number[] = []
      const model: BatchModel = {
        batchSizes,
        async run(pixels, count) {
          seen.push(count)
          await Promise.resolve()
          return Float32Array.from(pixels.subarray(0, count))
        },
      }
      const batcher = new Batcher(model, { maxDelayMs: 1, maxQueue: 64 })
      const rows = await Promise.all(
        images.map(({ level, ticks }) =>
          batcher.predict(async () => {
            for (let i = 0; i < ticks; i++) await Promise.resolve()
            return Uint8Array.of(level)
          }, never),
        ),
      )
      expect(rows.map(([value]) => value)).toEqual(images.map(({ level }) => level))
      expect(seen.every(size => batchSizes.includes(size))).toBe(true)
      expect(seen.reduce((sum, size) => sum + size, 0)).toBe(images.length)
    }),
  )
})
