/** @file Claims about what a server answers: the same as `predict`, in each of its forms; and what it refuses, with the reason. */
import { createModel, type Model, predictProbabilities, referenceEngine } from 'fovea'
import type { Hono } from 'hono'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { Budget } from '../../src/data/budget.js'
import { decodeBytes } from '../../src/data/decode-image.js'
import { type AppOptions, createApp } from '../../src/serve/app.js'
import type { Limits } from '../../src/serve/limits.js'
import { Metrics } from '../../src/serve/metrics.js'
import { type ServedModel, serveModel } from '../../src/serve/served-model.js'

const engine = referenceEngine()
const labels = ['blue', 'green', 'red']
const size = [8, 8, 3] as const
const generous: Limits = { maxBodyBytes: 100 << 10, maxRequests: 8, maxPixels: 10_000, timeoutSeconds: 60 }
const models: Readonly<Record<string, Model>> = {
  small: createModel('resnet8', { input: [8, 8, 3], labels, seed: 1 }),
  other: createModel('resnet8', { input: [8, 8, 3], labels, seed: 2 }),
}
let served: ServedModel[]
let photos: Buffer[]
let app: Hono

const appWith = (options: Partial<AppOptions> = {}): Hono =>
  createApp(served, { limits: generous, metrics: new Metrics(), ...options })

beforeAll(async () => {
  const turns = new Budget(1)
  const options = { engine, maxBatch: 4, turns, maxDelayMs: 5 }
  served = await Promise.all(Object.entries(models).map(([name, model]) => serveModel(name, model, options)))
  photos = await Promise.all(
    [0, 1, 2].map(i => {
      const create = {
        width: 12 + i,
        height: 10,
        channels: 3 as const,
        background: { r: 80 * i, g: 90, b: 200 - 60 * i },
      }
      return sharp({ create }).png().toBuffer()
    }),
  )
  app = appWith()
})

type Body = string | Buffer | FormData

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
const jsonOf = (response: Response): Promise<any> => response.json()

const post = (path: string, body: Body, headers: Record<string, string> = {}, to = app): Promise<Response> =>
  Promise.resolve(
    to.request(path, { method: 'POST', body: Buffer.isBuffer(body) ? new Uint8Array(body) : body, headers }),
  )

/** As Fovea's library sees it. */
async function expected(photo: Buffer, model = models['small']): Promise<Record<string, number>> {
  const row = await predictProbabilities(model, await decodeBytes('photo', photo, size), { engine })
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
    { 'Content-Type': 'multipart/form-data' },
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
  for (let i = 0; i < 257; i++) form.append('image', new File(['x'], `${i}.png`))
  const roomy = appWith({ limits: { ...generous, maxBodyBytes: 2 ** 20 } })
  const response = await post('/predict', form, {}, roomy)
  expect(response.status).toBe(400)
  expect(await jsonOf(response)).toEqual({ error: 'the form holds 257 files; send at most 256 at a time' })
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

test('what takes too long is ended', async () => {
  const impatient = appWith({ limits: { ...generous, timeoutSeconds: 0 } })
  const response = await post('/predict', photos[0], {}, impatient)
  expect(response.status).toBe(503)
  expect(await jsonOf(response)).toEqual({ error: 'it took longer than 0 s; try again in a second' })
})

test('the open inference protocol: what there is', async () => {
  const get = async (path: string, to = app) => {
    const response = await to.request(path)
    return [response.status, await jsonOf(response)]
  }
  expect(await get('/v2')).toEqual([
    200,
    { name: 'fovea', version: expect.any(String), extensions: ['binary_tensor_data'] },
  ])
  expect(await get('/v2/health/live')).toEqual([200, { live: true }])
  expect(await get('/v2/health/ready')).toEqual([200, { ready: true }])
  const about = {
    ...{ name: 'other', versions: ['1'], platform: 'fovea' },
    inputs: [{ name: 'image', datatype: 'UINT8', shape: [-1, 8, 8, 3] }],
    outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 3] }],
    parameters: { labels },
  }
  expect(await get('/v2/models/other')).toEqual([200, about])
  expect(await get('/v2/models/other/versions/1')).toEqual([200, about])
  expect(await get('/v2/models/small/ready')).toEqual([200, { name: 'small', ready: true }])
  expect(await get('/v2/models/big')).toEqual([404, { error: "no model 'big' is served here; there is small, other" }])
  expect(await get('/v2/models/small/versions/2')).toEqual([
    404,
    { error: "model 'small' has version 1 only, not '2'" },
  ])
  expect(await get('/v3')).toEqual([404, { error: 'nothing is at GET /v3; see GET /' }])
  const ending = appWith({ isEnding: () => true })
  expect(await get('/v2/health/ready', ending)).toEqual([503, { ready: false }])
  expect(await get('/v2/health/live', ending)).toEqual([200, { live: true }])
  expect((await ending.request('/v2')).headers.get('Connection')).toBe('close')
})

const pixels = Uint8Array.from({ length: 2 * 192 }, (_, i) => (i * 37) % 256)
const tensor = { name: 'image', shape: [2, 8, 8, 3], datatype: 'UINT8' }
const infer = (json: object, bytes = new Uint8Array(0), headers: Record<string, string> = {}) => {
  const header = Buffer.from(JSON.stringify(json))
  return post('/v2/models/small/infer', Buffer.concat([header, bytes]), {
    ...(bytes.length > 0 && { 'Inference-Header-Content-Length': String(header.length) }),
    ...headers,
  })
}

test('the open inference protocol: tensors as numbers, flat or nested, and as bytes, in and out', async () => {
  const rows = await predictProbabilities(models['small'], pixels, { engine, batchSize: 1 })
  const nested = [0, 1].map(n =>
    Array.from({ length: 8 }, (_, y) =>
      Array.from({ length: 8 }, (_, x) => [...pixels.subarray(192 * n + 24 * y + 3 * x).subarray(0, 3)]),
    ),
  )
  for (const data of [[...pixels], nested]) {
    const answer = await jsonOf(await infer({ id: 'a', inputs: [{ ...tensor, data }] }))
    expect(answer).toEqual({
      ...{ model_name: 'small', model_version: '1', id: 'a' },
      outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [2, 3], data: [...rows] }],
    })
  }
  const binary = { ...tensor, parameters: { binary_data_size: pixels.length } }
  const inBytes = await infer({ inputs: [binary], parameters: { binary_data_output: true } }, pixels)
  const length = Number(inBytes.headers.get('Inference-Header-Content-Length'))
  const body = Buffer.from(await inBytes.arrayBuffer())
  const { outputs } = JSON.parse(body.subarray(0, length).toString())
  expect(outputs[0].parameters).toEqual({ binary_data_size: 24 })
  expect(new Float32Array(Uint8Array.from(body.subarray(length)).buffer)).toEqual(rows)
  const mixed = { inputs: [binary], outputs: [{ name: 'probabilities', parameters: { binary_data: false } }] }
  expect((await jsonOf(await infer(mixed, pixels))).outputs[0].data).toEqual([...rows])
})

test.each<[string, object, string]>([
  ['no inputs', {}, 'inputs: '],
  ['another name', { inputs: [{ ...tensor, name: 'x', data: [] }] }, "inputs: expected one, named 'image', got 'x'"],
  ['another type', { inputs: [{ ...tensor, datatype: 'FP32', data: [] }] }, "datatype of 'image': expected UINT8"],
  [
    'another size',
    { inputs: [{ ...tensor, shape: [1, 8, 9, 3], data: [] }] },
    "shape of 'image': expected [images, 8, 8, 3], got [1, 8, 9, 3]",
  ],
  ['no image', { inputs: [{ ...tensor, shape: [0, 8, 8, 3], data: [] }] }, 'got [0, 8, 8, 3]'],
  ['a claim of 2^50 images', { inputs: [{ ...tensor, shape: [2 ** 40, 8, 8, 3], data: [1] }] }, 'values, got 1'],
  ['too few values', { inputs: [{ ...tensor, data: [1, 2] }] }, "data of 'image': expected 384 values, got 2"],
  [
    'fractions',
    { inputs: [{ ...tensor, data: [...pixels.subarray(1), 0.5] }] },
    'expected whole numbers from 0 to 255, got 0.5',
  ],
  [
    'bytes that are not there',
    { inputs: [{ ...tensor, parameters: { binary_data_size: 384 } }] },
    "binary_data_size of 'image' is 384, and 0 bytes follow the JSON",
  ],
  [
    'another output',
    { inputs: [{ ...tensor, data: [...pixels] }], outputs: [{ name: 'logits' }] },
    "outputs: expected 'probabilities', got 'logits'",
  ],
])('an inference request with %s is refused with the reason', async (_, json, reason) => {
  const response = await infer(json)
  expect(await jsonOf(response)).toEqual({ error: expect.stringContaining(reason) })
  expect(response.status).toBe(400)
})

test('a header that is longer than the body, and what is no JSON, are refused', async () => {
  const long = await infer({ inputs: [] }, Uint8Array.of(1), { 'Inference-Header-Content-Length': '1000' })
  expect((await jsonOf(long)).error).toContain("Inference-Header-Content-Length is '1000', the body has")
  expect((await jsonOf(await post('/v2/models/small/infer', '{'))).error).toContain('the body is no JSON')
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
