/** @file What a server takes at a time: how much, how large, how long. What is over a limit is told so, and costs little. */
import { setMaxListeners } from 'node:events'
import { formatBytes } from 'fovea'
import type { MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { deadline } from '../deadline.js'

export interface Limits {
  /** Of a request's body. */
  readonly maxBodyBytes: number
  /** Requests that are being worked on or wait. */
  readonly maxRequests: number
  /** Images that are being decoded or wait, of all requests for a model. */
  readonly maxQueue: number
  /** Of a picture, as it is in its file. */
  readonly maxPixels: number
  /** From a request's arrival to its answer. */
  readonly timeoutSeconds: number
}

/** What a request has become when its handler sees it. */
export interface Received {
  readonly Variables: {
    readonly body: Buffer<ArrayBuffer>
    /** Aborted when the client leaves, or when it takes too long. */
    readonly signal: AbortSignal
  }
}

/** All bodies in memory at a time may take as much as so many of the largest. */
const BODIES_IN_MEMORY = 16

/** A refusal, after which the connection is closed: more of the request may be on its way. */
const refusal = (status: 408 | 413 | 503, error: string): HTTPException => {
  const headers = { Connection: 'close', ...(status === 503 && { 'Retry-After': '1' }) }
  return new HTTPException(status, { res: Response.json({ error }, { status, headers }) })
}

/** 503: the server has enough to do. */
export const busy = (why: string): HTTPException => refusal(503, `${why}; try again in a second`)

/** It took longer than a request may. */
export class TimeoutError extends Error {
  override name = 'TimeoutError'
}

/**
 * Takes in requests, as many and as large as may be in memory at a time, and turns others away before their bodies are read.
 * Handlers find the body and a signal in the context.
 */
export function receive(limits: Limits): MiddlewareHandler<Received> {
  const { maxRequests, maxBodyBytes, timeoutSeconds } = limits
  const most = BODIES_IN_MEMORY * maxBodyBytes
  let [requests, bytes] = [0, 0]
  return async (context, next) => {
    if (requests >= maxRequests) throw busy(`${maxRequests} requests are being answered`)
    if (Number(context.req.header('content-length')) > maxBodyBytes) throw tooLong(limits)
    const ms = Math.ceil(1000 * timeoutSeconds)
    const { signal, release } = deadline(ms, () => new TimeoutError(), context.req.raw.signal)
    setMaxListeners(0, signal) // Each image of a request listens.
    let own = 0
    requests++
    try {
      const chunks: Uint8Array[] = []
      for await (const chunk of chunksOf(context.req.raw, signal)) {
        own += chunk.length
        bytes += chunk.length
        if (own > maxBodyBytes) throw tooLong(limits)
        if (bytes > most) throw busy(`the requests that are being answered take ${formatBytes(bytes)}`)
        chunks.push(chunk)
      }
      context.set('body', Buffer.concat(chunks))
      context.set('signal', signal)
      await next()
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error
      throw refusal(408, `the request did not arrive within ${timeoutSeconds} s`)
    } finally {
      release()
      requests--
      bytes -= own
    }
  }
}

const tooLong = ({ maxBodyBytes }: Limits): HTTPException =>
  refusal(413, `the body may have ${formatBytes(maxBodyBytes)}; send fewer or smaller images`)

/** What comes of a body; a client may never send the rest. @throws the signal's reason */
async function* chunksOf({ body }: Request, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  if (reader === undefined) return
  const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  aborted.catch(() => {})
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), aborted])
      if (done) return
      yield value
    }
  } finally {
    void reader.cancel().catch(() => {})
  }
}
