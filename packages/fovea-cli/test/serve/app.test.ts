/** @file Claims about what a server answers: the same as `predict`, in each of its forms; and what it refuses, with the reason. */
import { predictProbabilities } from 'fovea'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { Budget } from '../../src/data/budget.js'
import { decodeBytes } from '../../src/data/decode-image.js'
import { createApp } from '../../src/serve/app.js'
import { Batcher, type BatchModel } from '../../src/serve/batcher.js'
import { Metrics } from '../../src/serve/metrics.js'
import {
  app,
  appWith,
  type Body,
  engine,
  generous,
  jsonOf,
  labels,
  models,
  photos,
  post,
  served,
} from './small-server.js'

/** As Fovea's library sees it. */
async function expected(photo: Buffer, model = models['small']): Promise<Record<string, number>> {
  const row = await predictProbabilities(model, await decodeBytes('photo', photo, { size: [8, 8, 3] }), { engine })
  return Object.fromEntries(labels.map((label, i) => [label, row[i]]))
}

const asRow = (predictions: readonly { label: string; probability: number }[]) =>
  Object.fromEntries(predictions.map(({ label, probability }) => [label, probability]))

test('an image as the body, whatever its type is called; the model and the number of labels may be named', async () => {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const { predictions } = await jsonOf(await post('/predict', photos[0], form))
  expect(asRow(predictions)).toEqual(await expected(photos[0]))
  expect(predictions[0].probability).toBeGreaterThan(predictions[2].probability)
  const one = await jsonOf(await post('/predict?model=other&top=1', photos[1]))
  expect(one.predictions.length).toBe(1)
  expect(await expected(photos[1], models['other'])).toMatchObject(asRow(one.predictions))
})

test('several images in a form: each has its answer, one that is bad its reason', async () => {
  const form = new FormData()
  photos.forEach((photo, i) => void form.append('image', new File([new Uint8Array(photo)], `${i}.png`)))
  form.append('image', new File(['no image'], 'bad.txt'))
  const response = await post('/predict', form)
  const { images } = await jsonOf(response)
  expect(response.status).toBe(200)
  for (const [i, photo] of photos.entries()) {
    expect(images[i].image).toBe(`${i}.png`)
    expect(asRow(images[i].predictions)).toEqual(await expected(photo))
  }
  expect(images[3]).toEqual({ image: 'bad.txt', error: expect.stringContaining("'bad.txt' is not a JPEG") })
})

test.each<[string, string, () => Body, Record<string, string>, number, string]>([
  ['no image', '/predict', () => 'text', {}, 400, "'image' is not a JPEG"],
  ['an empty body', '/predict', () => '', {}, 400, "'image' is empty"],
  ['an image that is cut short', '/predict', () => photos[0].subarray(0, 60), {}, 400, "'image' cannot be decoded"],
  [
    'an unknown model',
    '/predict?model=big',
    () => photos[0],
    {},
    404,
    "no model 'big' is served here; there is small, other",
  ],
  ['no number', '/predict?top=0', () => photos[0], {}, 400, "top takes a whole number of at least 1, not '0'"],
  [
    'a form of words',
    '/predict',
    () => new URLSearchParams('a=b').toString(),
    { 'Content-Type': 'Multipart/Form-Data' },
    400,
    'the form cannot be read',
  ],
  [
    'an empty form',
    '/predict',
    () => {
      const form = new FormData()
      form.append('a', 'b')
      return form
    },
    {},
    400,
    'the form holds no file; with curl: -F image=@photo.jpg',
  ],
  ['too long a body', '/predict', () => Buffer.alloc(102_401), {}, 413, 'the body may have 100 KiB'],
])('%s is refused with the reason', async (_, path, body, headers, status, reason) => {
  const response = await post(path, body(), headers)
  expect(await jsonOf(response)).toEqual({ error: expect.stringContaining(reason) })
  expect(response.status).toBe(status)
})

test('a form of more images than are answered at a time is refused', async () => {
  const form = new FormData()
  for (let i = 0; i < 33; i++) form.append('image', new File(['x'], `${i}.png`))
  const roomy = appWith({ limits: { ...generous, maxBodyBytes: 2 ** 20 } })
  const response = await post('/predict', form, {}, roomy)
  expect(response.status).toBe(400)
  expect(await jsonOf(response)).toEqual({ error: 'the form holds 33 files; send at most 32 at a time' })
})

test('a picture of too many pixels is refused before it is decoded', async () => {
  const create = { width: 101, height: 100, channels: 3 as const, background: 'red' }
  const response = await post('/predict', await sharp({ create }).png().toBuffer())
  expect(await jsonOf(response)).toEqual({
    error: expect.stringContaining("'image' has 101×100 pixels, and 0.01 megapixels are allowed here"),
  })
})

test('a body that does not say how long it is, and goes on, is refused', async () => {
  const endless = new ReadableStream({ pull: controller => controller.enqueue(new Uint8Array(10_000)) })
  const response = await app.request('/predict', { method: 'POST', body: endless, duplex: 'half' } as RequestInit)
  expect(response.status).toBe(413)
})

test('more requests than it takes at a time are told to come back; later ones are answered', async () => {
  const limited = appWith({ limits: { ...generous, maxRequests: 2 } })
  const responses = await Promise.all(photos.map(photo => post('/predict', photo, {}, limited)))
  expect(responses.map(({ status }) => status)).toEqual([200, 200, 503])
  expect(responses[2].headers.get('Retry-After')).toBe('1')
  expect(await responses[2].json()).toEqual({ error: '2 requests are being answered; try again in a second' })
  expect((await post('/predict', photos[2], {}, limited)).status).toBe(200)
})

test('what takes too long is ended, and what never arrives', async () => {
  const impatient = appWith({ limits: { ...generous, timeoutSeconds: 0.001 } })
  const body = new ReadableStream({ start: controller => controller.enqueue(new Uint8Array(3)) })
  const late = await impatient.request('/predict', { method: 'POST', body, duplex: 'half' } as RequestInit)
  expect(late.status).toBe(408)
  expect(await jsonOf(late)).toEqual({ error: 'the request did not arrive within 0.001 s' })
  const release = new Budget(1)
  const [{ name, preprocessing, dispose }] = served
  // A model that never answers: the request ends all the same, whatever is collected meanwhile.
  const batchSizes = [1]
  const stuck = new Batcher(
    { batchSizes, run: () => release.hold(1, () => new Promise(() => {})) },
    { maxDelayMs: 0, maxQueue: 4 },
  )
  const slow = createApp([{ name, preprocessing, labels, dispose, batcher: stuck }], {
    limits: { ...generous, timeoutSeconds: 0.2 },
    metrics: new Metrics(),
  })
  const responses = await Promise.all([0, 1].map(i => post('/predict', photos[i], {}, slow)))
  expect(responses.map(({ status }) => status)).toEqual([503, 503])
  expect(await jsonOf(responses[1])).toEqual({ error: 'it took longer than 0.2 s; try again in a second' })
})

test('more images than may wait are told to come back', async () => {
  const [{ name, preprocessing, dispose }] = served
  const model: BatchModel = { batchSizes: [1], run: async () => Float32Array.of(1, 0, 0) }
  const batcher = new Batcher(model, { maxDelayMs: 0, maxQueue: 2 })
  const full = createApp([{ name, preprocessing, labels, dispose, batcher }], {
    limits: generous,
    metrics: new Metrics(),
  })
  const responses = await Promise.all([0, 1, 2].map(i => post('/predict', photos[i], {}, full)))
  expect(responses.map(({ status }) => status)).toEqual([200, 200, 503])
  expect(await jsonOf(responses[2])).toEqual({ error: '2 images wait; try again in a second' })
})

test('Prometheus sees requests, images and how long they took', async () => {
  const fresh = appWith({ metrics: new Metrics() })
  await Promise.all(photos.map(photo => post('/predict', photo, {}, fresh)))
  await post('/predict', 'no image', {}, fresh)
  const text = await (await fresh.request('/metrics')).text()
  for (const line of [
    'fovea_requests_total{route="/predict",status="200"} 3',
    'fovea_requests_total{route="/predict",status="400"} 1',
    'fovea_decode_duration_seconds_count 3',
    'fovea_queue_images{model="small"} 0',
  ]) {
    expect(text).toContain(`\n${line}\n`)
  }
})

test('pages of another address read answers only where they are allowed to', async () => {
  const headers = { Origin: 'https://example.org' }
  const allowed = appWith({ allowOrigin: 'https://example.org' })
  expect((await post('/predict', photos[0], headers, allowed)).headers.get('Access-Control-Allow-Origin')).toBe(
    'https://example.org',
  )
  expect((await post('/predict', photos[0], headers)).headers.get('Access-Control-Allow-Origin')).toBeNull()
})
