/** @file `fovea serve`: saved models behind HTTP. */
import { existsSync } from 'node:fs'
import { basename, dirname, extname } from 'node:path'
import { Command } from 'commander'
import type { Engine, Precision } from 'fovea'
import { modelFile, readModel, runFiles } from '../checkpoint-file.js'
import { Budget } from '../data/budget.js'
import { type EngineOptions, openEngine, shareCores, withEngineOptions } from '../engines.js'
import { onInterrupt } from '../interrupt.js'
import { createOutput, type Output } from '../output.js'
import { createApp } from '../serve/app.js'
import { listen } from '../serve/listen.js'
import { Metrics } from '../serve/metrics.js'
import { type ServedModel, serveModel } from '../serve/served-model.js'
import { settingOption } from '../setting-option.js'
import { positiveNumber, UsageError, wholeNumber } from '../usage.js'

interface ServeOptions extends EngineOptions {
  readonly host: string
  readonly port: number
  readonly precision: Precision
  readonly maxBatch: number
  readonly maxDelay: number
  readonly maxBody: number
  readonly maxPixels: number
  readonly maxRequests: number
  readonly timeout: number
  readonly allowOrigin?: string
  readonly json?: true
}

export function serveCommand(): Command {
  return withEngineOptions(new Command('serve'))
    .description('serve models over HTTP')
    .argument('<files...>', 'models that fovea saved, or folders of runs; NAME=FILE gives one another name')
    .option('--host <address>', 'address to listen at; 0.0.0.0 is all of them', '127.0.0.1')
    .option('--port <n>', 'port to listen at; 0 is a free one', wholeNumber('--port', 0, 65_535), 8080)
    .addOption(settingOption('precision').default('float32'))
    .option(
      '--max-batch <n>',
      'images of several requests that are predicted together',
      wholeNumber('--max-batch', 1, 1024),
      16,
    )
    .option(
      '--max-delay <ms>',
      'how long an image waits for others that are being decoded',
      wholeNumber('--max-delay', 0),
      5,
    )
    .option('--max-body <MiB>', "size of a request's body", positiveNumber('--max-body'), 32)
    .option('--max-pixels <megapixels>', 'size of a picture', positiveNumber('--max-pixels'), 50)
    .option(
      '--max-requests <n>',
      'requests at a time; more are told to come back (503)',
      wholeNumber('--max-requests', 1),
      256,
    )
    .option('--timeout <seconds>', 'how long a request may take', positiveNumber('--timeout'), 30)
    .option(
      '--allow-origin <origin>',
      'pages of this address may read the answers, such as https://example.org; * is all',
    )
    .option('--json', 'print JSON, one object a line')
    .action(run)
}

async function run(files: readonly string[], options: ServeOptions): Promise<void> {
  const output = createOutput(options.json === true)
  const { host, port, timeout, allowOrigin } = options
  const named = namesOf(files)
  shareCores()
  const engine = openEngine({ engine: options.engine, threads: options.threads }, output)
  const metrics = new Metrics()
  const limits = {
    maxBodyBytes: Math.floor(options.maxBody * 2 ** 20),
    maxPixels: Math.floor(options.maxPixels * 1e6),
    maxRequests: options.maxRequests,
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
  { maxBatch, maxDelay, precision }: ServeOptions,
  metrics: Metrics,
): Promise<ServedModel[]> {
  const turns = new Budget(1)
  return Promise.all(
    [...named].map(([name, file]) =>
      serveModel(name, readModel(file), {
        ...{ engine, maxBatch, turns, precision, maxDelayMs: maxDelay },
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
