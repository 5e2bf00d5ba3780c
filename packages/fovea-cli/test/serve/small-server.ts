/** @file A server of two small models on the reference engine, and photos for it, without a port. */
import { createModel, type Model, referenceEngine } from 'fovea'
import sharp from 'sharp'
import { Budget } from '../../src/data/budget.js'
import { type AppOptions, createApp } from '../../src/serve/app.js'
import type { Limits } from '../../src/serve/limits.js'
import { Metrics } from '../../src/serve/metrics.js'
import { serveModel } from '../../src/serve/served-model.js'

export const engine = referenceEngine()
export const labels = ['blue', 'green', 'red']
export const generous: Limits = {
  maxBodyBytes: 100 << 10,
  maxRequests: 8,
  maxQueue: 32,
  maxPixels: 10_000,
  timeoutSeconds: 60,
}
export const models: Readonly<Record<string, Model>> = {
  small: createModel('resnet8', { input: [8, 8, 3], labels, seed: 1 }),
  other: createModel('resnet8', { input: [8, 8, 3], labels, seed: 2 }),
}

const turns = new Budget(1)
const options = { engine, maxBatch: 4, turns, maxDelayMs: 5, maxQueue: 32 }
export const served = await Promise.all(Object.entries(models).map(([name, model]) => serveModel(name, model, options)))

export const photos = await Promise.all(
  [0, 1, 2].map(i => {
    const background = { r: 80 * i, g: 90, b: 200 - 60 * i }
    return sharp({ create: { width: 12 + i, height: 10, channels: 3, background } })
      .png()
      .toBuffer()
  }),
)

type App = ReturnType<typeof createApp>

export const appWith = (options: Partial<AppOptions> = {}): App =>
  createApp(served, { limits: generous, metrics: new Metrics(), ...options })

export const app = appWith()

export type Body = string | Buffer | FormData

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
export const jsonOf = (response: Response): Promise<any> => response.json()

export const post = (path: string, body: Body, headers: Record<string, string> = {}, to = app): Promise<Response> =>
  Promise.resolve(
    to.request(path, { method: 'POST', body: Buffer.isBuffer(body) ? new Uint8Array(body) : body, headers }),
  )
