/** @file `POST /predict`, the easy way: an image file as the body, or several in a form; the most probable labels come back. */
import { FoveaError, mostProbable, type Prediction } from 'fovea'
import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { decodeBytes } from '../data/decode-image.js'
import type { Limits, Received } from './limits.js'
import type { Metrics } from './metrics.js'
import type { ServedModel } from './served-model.js'

/** Labels of each image where a request does not say how many. */
const TOP = 5

/** An image that a request holds. */
interface Sent {
  readonly image: string
  readonly bytes: Buffer
}

/** What becomes of it, as `fovea predict --json` says it. */
type Answer = { readonly image: string } & ({ readonly predictions: Prediction[] } | { readonly error: string })

/**
 * @param models by name; the first is taken where a request names none
 */
export function predictRoute(
  models: ReadonlyMap<string, ServedModel>,
  limits: Limits,
  metrics: Metrics,
): Hono<Received> {
  const answer = async (
    model: ServedModel,
    { image, bytes }: Sent,
    top: number,
    signal: AbortSignal,
  ): Promise<Answer> => {
    const decode = async (): Promise<Uint8Array> => {
      const start = performance.now()
      const pixels = await decodeBytes(image, bytes, model.preprocessing, limits.maxPixels)
      metrics.decoded((performance.now() - start) / 1000)
      return pixels
    }
    try {
      const [predictions] = mostProbable(await model.batcher.predict(decode, signal), model.labels, top)
      return { image, predictions }
    } catch (error) {
      if (error instanceof FoveaError) return { image, error: error.message }
      throw error
    }
  }
  return new Hono<Received>().post('/predict', async context => {
    const model = namedModel(models, context)
    const top = topOf(context)
    const { body, signal } = context.var
    const type = context.req.header('content-type') ?? ''
    const isForm = type.toLowerCase().startsWith('multipart/form-data')
    const sent = isForm ? await imagesInForm(body, type, limits) : [{ image: 'image', bytes: body }]
    const answers = await Promise.all(sent.map(image => answer(model, image, top, signal)))
    const [first] = answers
    if (!isForm)
      return 'error' in first
        ? context.json({ error: first.error }, 400)
        : context.json({ predictions: first.predictions })
    return context.json({ images: answers }, answers.every(one => 'error' in one) ? 400 : 200)
  })
}

function namedModel(models: ReadonlyMap<string, ServedModel>, context: Context): ServedModel {
  const name = context.req.query('model') ?? [...models.keys()][0]
  const model = models.get(name)
  if (model) return model
  throw new HTTPException(404, {
    message: `no model '${name}' is served here; there is ${[...models.keys()].join(', ')}`,
  })
}

function topOf(context: Context): number {
  const text = context.req.query('top')
  if (text === undefined) return TOP
  const top = Number(text)
  if (Number.isSafeInteger(top) && top >= 1) return top
  throw new HTTPException(400, { message: `top takes a whole number of at least 1, not '${text}'` })
}

async function imagesInForm(body: Buffer<ArrayBuffer>, type: string, { maxQueue }: Limits): Promise<Sent[]> {
  const form = await new Response(body, { headers: { 'Content-Type': type } }).formData().catch(() => {
    throw new HTTPException(400, { message: 'the form cannot be read: it is cut short, or has no boundary' })
  })
  const files = [...form].flatMap(([field, value]) => (typeof value === 'string' ? [] : [{ field, value }]))
  if (files.length === 0) {
    throw new HTTPException(400, { message: 'the form holds no file; with curl: -F image=@photo.jpg' })
  }
  if (files.length > maxQueue) {
    throw new HTTPException(400, {
      message: `the form holds ${files.length} files; send at most ${maxQueue} at a time`,
    })
  }
  return Promise.all(
    files.map(async ({ field, value }) => ({
      image: value.name || field,
      bytes: Buffer.from(await value.arrayBuffer()),
    })),
  )
}
