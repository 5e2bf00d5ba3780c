/** @file All that a server answers, as a function from requests to responses: listen.ts gives it a port, tests call it. */
import { FoveaError } from 'fovea'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { routePath } from 'hono/route'
import { BusyError } from './batcher.js'
import { inferenceProtocol } from './inference-protocol.js'
import { busy, type Limits, type Received, receive, TimeoutError } from './limits.js'
import type { Metrics } from './metrics.js'
import { predictRoute } from './predict-route.js'
import type { ServedModel } from './served-model.js'

export interface AppOptions {
  readonly limits: Limits
  readonly metrics: Metrics
  /** Pages of this address may read the answers. */
  readonly allowOrigin?: string | undefined
  /** Whether the server ends: it still answers, and asks for no more. */
  readonly isEnding?: () => boolean
  /** Told of what no client should see. */
  readonly onError?: (error: unknown) => void
}

/** @param models the first is the one that `/predict` takes unasked */
export function createApp(models: readonly ServedModel[], options: AppOptions): Hono<Received> {
  const { limits, metrics, allowOrigin, isEnding = () => false, onError = () => {} } = options
  const byName = new Map(models.map(model => [model.name, model]))
  metrics.watch(new Map(models.map(({ name, batcher }) => [name, batcher])))
  const app = new Hono<Received>()
  app.use(async (context, next) => {
    const answered = metrics.request()
    await next()
    answered(routePath(context, -1), context.res.status)
    if (isEnding()) context.header('Connection', 'close')
  })
  if (allowOrigin !== undefined)
    app.use(cors({ origin: allowOrigin, exposeHeaders: ['Inference-Header-Content-Length'] }))
  app.on('POST', '*', receive(limits))
  app.get('/', context => context.text(about(models)))
  app.get('/metrics', async context =>
    context.body(await metrics.registry.metrics(), 200, { 'Content-Type': metrics.registry.contentType }),
  )
  app.route('/', predictRoute(byName, limits, metrics))
  app.route(
    '/',
    inferenceProtocol(byName, limits, () => !isEnding()),
  )
  app.notFound(context =>
    context.json({ error: `nothing is at ${context.req.method} ${context.req.path}; see GET /` }, 404),
  )
  app.onError((error, context) => {
    if (context.req.raw.signal.aborted) return new Response(null, { status: CLIENT_LEFT })
    if (error instanceof HTTPException)
      return error.res ?? Response.json({ error: error.message }, { status: error.status })
    if (error instanceof TimeoutError) return busy(`it took longer than ${limits.timeoutSeconds} s`).getResponse()
    if (error instanceof BusyError) return busy(error.message).getResponse()
    onError(error)
    const message = error instanceof FoveaError ? error.message : 'an error of the server; its notices say more'
    return Response.json({ error: message }, { status: 500 })
  })
  return app
}

/** nginx's code for a client that closed the connection before its answer: only metrics see it. */
const CLIENT_LEFT = 499

const about = (models: readonly ServedModel[]): string => `fovea serves ${models.map(({ name }) => name).join(', ')}.

POST /predict                  an image as the body (curl --data-binary @photo.jpg), or several in a form (curl -F image=@photo.jpg);
                               ?model=NAME&top=5
GET  /v2                       the open inference protocol, version 2: /v2/health/live, /v2/health/ready, /v2/models/NAME,
                               POST /v2/models/NAME/infer (also with binary tensors)
GET  /metrics                  for Prometheus
`
