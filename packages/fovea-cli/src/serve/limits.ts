/** @file What a server takes at a time: how much, how large, how long. What is over a limit is told so, and costs nothing. */

import { formatBytes } from 'fovea'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'

export interface Limits {
  /** Of a request's body. */
  readonly maxBodyBytes: number
  /** Requests that are being worked on or wait. */
  readonly maxRequests: number
  /** Of a picture, as it is in its file. */
  readonly maxPixels: number
  /** From a request's arrival to its answer. */
  readonly timeoutSeconds: number
}

/** All bodies in memory at a time may take as much as so many of the largest. */
const BODIES_IN_MEMORY = 16

/** 503: the server has enough to do. */
export const busy = (why: string): HTTPException =>
  new HTTPException(503, {
    res: Response.json({ error: `${why}; try again in a second` }, { status: 503, headers: { 'Retry-After': '1' } }),
  })

/** Lets in as many requests, and bytes, as may be in memory at a time; turns others away before it reads them. */
export function admission({ maxRequests, maxBodyBytes }: Limits): MiddlewareHandler {
  let [requests, bytes] = [0, 0]
  return async (context, next) => {
    const declared = Number(context.req.header('content-length') ?? maxBodyBytes)
    const size = Math.min(Number.isFinite(declared) ? declared : maxBodyBytes, maxBodyBytes)
    if (requests >= maxRequests) throw busy(`${maxRequests} requests are being answered`)
    if (bytes + size > BODIES_IN_MEMORY * maxBodyBytes) {
      throw busy(`the requests that are being answered take ${formatBytes(bytes)}`)
    }
    requests++
    bytes += size
    try {
      await next()
    } finally {
      requests--
      bytes -= size
    }
  }
}

/** 413 for a body that is too long, whether it says so or not. */
export const limitBody = ({ maxBodyBytes }: Limits): MiddlewareHandler =>
  bodyLimit({
    maxSize: maxBodyBytes,
    onError: context =>
      context.json({ error: `the body may have ${formatBytes(maxBodyBytes)}; send fewer or smaller images` }, 413),
  })

/** Ends what is done for a request when the client leaves, or when it takes too long. */
export const deadline = (request: Request, { timeoutSeconds }: Limits): AbortSignal =>
  AbortSignal.any([request.signal, AbortSignal.timeout(1000 * timeoutSeconds)])
