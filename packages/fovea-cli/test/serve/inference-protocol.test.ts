/** @file Claims about the open inference protocol: tensors in each of its forms give what the model says of them; what is refused, and why. */
import { predictProbabilities } from 'fovea'
import { expect, test } from 'vitest'
import { app, appWith, engine, jsonOf, labels, models, post } from './small-server.js'

test('what there is', async () => {
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

test('tensors as numbers, flat or nested, and as bytes, in and out', async () => {
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
  ['too few values', { inputs: [{ ...tensor, data: [1, 2] }] }, "'image' of [2, 8, 8, 3] has 384 values, got 2"],
  [
    'lists in lists in lists',
    { inputs: [{ ...tensor, data: [[[[[...Array(384).fill([[1]])]]]]] }] },
    'is more than 4 lists deep',
  ],
  ['no data', { inputs: [tensor] }, "data of 'image': expected a list of levels, got none"],
  ['data that is no list', { inputs: [{ ...tensor, data: '1' }] }, "expected a list of levels, got '1'"],
  ['a long word', { inputs: [{ ...tensor, datatype: 'x'.repeat(1000) }] }, `got '${'x'.repeat(40)}…'`],
  [
    'more images than may wait',
    { inputs: [{ ...tensor, shape: [33, 8, 8, 3], data: Array(33 * 192).fill(0) }] },
    "'image' holds 33 images; send at most 32 at a time",
  ],
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
