/** @file What `fovea serve` does: opens the models, listens, and ends when it is told to. */
import { existsSync } from 'node:fs'
import { basename, dirname, extname } from 'node:path'
import type { Engine, Precision } from 'fovea'
import { modelFile, readModel, runFiles } from '../checkpoint-file.js'
import { Budget } from '../data/budget.js'
import { type EngineOptions, openEngine } from '../engines.js'
import { onInterrupt } from '../interrupt.js'
import { createOutput, type Output } from '../output.js'
import { UsageError } from '../usage.js'
import { createApp } from './app.js'
import { listen } from './listen.js'
import { Metrics } from './metrics.js'
import { type ServedModel, serveModel } from './served-model.js'

/** As the command line gives them. */
export interface ServeOptions extends EngineOptions {
  readonly host: string
  readonly port: number
  readonly precision: Precision
  readonly maxBatch: number
  readonly maxDelay: number
  readonly maxBody: number
  readonly maxPixels: number
  readonly maxRequests: number
  readonly maxQueue: number
  readonly timeout: number
  readonly allowOrigin?: string
  readonly json?: true
}

/** @throws UsageError for models of the same name; FoveaError where one cannot be read, or the port cannot be had */
export async function serve(files: readonly string[], options: ServeOptions): Promise<void> {
  const output = createOutput(options.json === true)
  const { host, port, timeout, allowOrigin } = options
  const named = namesOf(files)
  const engine = openEngine(options, output)
  const metrics = new Metrics()
  const limits = {
    maxBodyBytes: Math.floor(options.maxBody * 2 ** 20),
    maxPixels: Math.floor(options.maxPixels * 1e6),
    maxRequests: options.maxRequests,
    maxQueue: options.maxQueue,
    timeoutSeconds: timeout,
  }
  const models = await serveAll(named, engine, options, metrics)
  const { signal, release } = onInterrupt(() =>
    note(output, 'answering what has come, then ending (Ctrl-C again ends at once)'),
  )
  try {
    const onError = (error: unknown): void =>
      note(output, error instanceof Error ? (error.stack ?? error.message) : String(error))
    const isEnding = (): boolean => signal.aborted
    const app = createApp(models, { limits, metrics, allowOrigin, isEnding, onError })
    const server = await listen(app, host, port, timeout)
    const list = models.map(({ name }) => name)
    output.result({ address: server.address, models: list })
    output.say(`${server.address} serves ${list.join(', ')}, ${engine.description}`)
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve())
    })
    await server.close()
  } finally {
    for (const model of models) model.dispose()
    release()
  }
}

/** What an operator should see. */
function note(output: Output, notice: string): void {
  output.result({ notice })
  if (!output.json) output.warn(notice)
}

function serveAll(
  named: ReadonlyMap<string, string>,
  engine: Engine,
  { maxBatch, maxDelay, maxQueue, precision }: ServeOptions,
  metrics: Metrics,
): Promise<ServedModel[]> {
  const turns = new Budget(1)
  return Promise.all(
    [...named].map(([name, file]) =>
      serveModel(name, readModel(file), {
        ...{ engine, maxBatch, turns, precision, maxDelayMs: maxDelay, maxQueue },
        onBatch: report => metrics.batch(name, report),
      }),
    ),
  )
}

/** The names that addresses have, and their files: a model is called as its file, or the folder of its run. */
function namesOf(files: readonly string[]): Map<string, string> {
  const named = new Map<string, string>()
  for (const argument of files) {
    const [, given, path] = (!existsSync(argument) && /^([^=/]+)=(.+)$/.exec(argument)) || [
      undefined,
      undefined,
      argument,
    ]
    const file = modelFile(path)
    const isOfRun = basename(file) === runFiles.model || basename(file) === runFiles.last
    const name = given ?? (isOfRun ? basename(dirname(file)) : basename(file, extname(file)))
    if (named.has(name)) {
      throw new UsageError(`two models are called '${name}'; give one another name: NAME=${argument}`)
    }
    named.set(name, path)
  }
  return named
}
