/** @file An app on a port, until it is asked to end: it then answers what it has taken, and takes no more. */
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { FoveaError } from 'fovea'
import type { Hono } from 'hono'
import type { Received } from './limits.js'

export interface Listening {
  /** `http://127.0.0.1:8080` */
  readonly address: string
  /** Takes no more connections; resolves when all that was taken is answered, or too late. */
  close(): Promise<void>
}

/**
 * @param port 0 for a free one
 * @param timeoutSeconds in which a request must have arrived
 * @throws FoveaError where the port is taken or may not be used
 */
export async function listen(
  app: Hono<Received>,
  host: string,
  port: number,
  timeoutSeconds: number,
): Promise<Listening> {
  const timeoutMs = Math.ceil(1000 * timeoutSeconds)
  // Of headers; bodies have a limit of their own (limits.ts).
  const serverOptions = { headersTimeout: timeoutMs, requestTimeout: 0, connectionsCheckingInterval: 1000 }
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions }) as Server
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenError(error, host, port)))
    server.listen(port, host, resolve)
  })
  const bound = server.address()
  const actual = typeof bound === 'object' && bound !== null ? bound.port : port
  return {
    address: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    close: () =>
      new Promise(resolve => {
        // Whoever has not sent a whole request by then never will.
        const timer = setTimeout(() => server.closeAllConnections(), timeoutMs)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
      }),
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} is in use; choose another with --port, or --port 0 for a free one`,
    EACCES: `port ${port} needs more rights; choose one above 1023 with --port`,
    EADDRNOTAVAIL: `this machine has no address ${host}; --host 0.0.0.0 is all of them`,
    ENOTFOUND: `the address ${host} is not known; --host 0.0.0.0 is all of this machine's`,
  }
  const reason = reasons[error.code ?? '']
  return reason === undefined ? error : new FoveaError(reason, { cause: error })
}
