/** @file The routes of the open inference protocol, version 2: https://github.com/kserve/open-inference-protocol. */
import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { foveaVersion } from '../machine.js'
import { HEADER_LENGTH, inferResponse, parseInferRequest } from './infer-request.js'
import type { Limits, Received } from './limits.js'
import type { ServedModel } from './served-model.js'

/** Of every model: a file is one version. */
const VERSION = '1'

/**
 * @param isReady whether new requests are welcome: not while the server ends
 */
export function inferenceProtocol(
  models: ReadonlyMap<string, ServedModel>,
  limits: Limits,
  isReady: () => boolean,
): Hono<Received> {
  const app = new Hono<Received>()
  app.get('/v2', context =>
    context.json({ name: 'fovea', version: foveaVersion(), extensions: ['binary_tensor_data'] }),
  )
  app.get('/v2/health/live', context => context.json({ live: true }))
  app.get('/v2/health/ready', context => context.json({ ready: isReady() }, isReady() ? 200 : 503))
  for (const path of ['/v2/models/:name', '/v2/models/:name/versions/:version'] as const) {
    app.get(path, context => {
      const { name, preprocessing, labels } = modelIn(models, context)
      return context.json({
        ...{ name, versions: [VERSION], platform: 'fovea' },
        inputs: [{ name: 'image', datatype: 'UINT8', shape: [-1, ...preprocessing.size] }],
        outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, labels.length] }],
        parameters: { labels },
      })
    })
    app.get(`${path}/ready`, context => {
      const { name } = modelIn(models, context)
      return context.json({ name, ready: isReady() }, isReady() ? 200 : 503)
    })
    app.post(`${path}/infer`, async context => {
      const { name, preprocessing, labels, batcher } = modelIn(models, context)
      const { body, signal } = context.var
      const request = parseInferRequest(body, context.req.header(HEADER_LENGTH), preprocessing.size)
      if (request.count > limits.maxQueue) {
        throw new HTTPException(400, {
          message: `'image' holds ${request.count} images; send at most ${limits.maxQueue} at a time`,
        })
      }
      const size = request.pixels.length / request.count
      const rows = await Promise.all(
        Array.from({ length: request.count }, (_, i) =>
          batcher.predict(async () => request.pixels.subarray(i * size, (i + 1) * size), signal),
        ),
      )
      const probabilities = new Float32Array(request.count * labels.length)
      for (const [i, row] of rows.entries()) probabilities.set(row, i * labels.length)
      return inferResponse(name, request, probabilities)
    })
  }
  return app
}

function modelIn(models: ReadonlyMap<string, ServedModel>, context: Context): ServedModel {
  const { name = '', version = VERSION } = context.req.param() as { readonly name?: string; readonly version?: string }
  const model = models.get(name)
  if (!model) {
    throw new HTTPException(404, {
      message: `no model '${name}' is served here; there is ${[...models.keys()].join(', ')}`,
    })
  }
  if (version === VERSION) return model
  throw new HTTPException(404, { message: `model '${name}' has version ${VERSION} only, not '${version}'` })
}
