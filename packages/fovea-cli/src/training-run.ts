/**
 * @file A training run as the command line does it: opens data and engine, trains with progress, keeps checkpoints and a
 * log in the run's folder, draws the picture. What a run is made of is a RunRequest; everything random follows from it.
 */
import {
  type Checkpoint,
  createModel,
  type DataSplits,
  DivergenceError,
  type Engine,
  FoveaError,
  InvalidArgumentError,
  type Model,
  measureNormalization,
  type StepProgress,
  type TrainingRun,
  type TrainingState,
  train,
} from 'fovea'
import { readCheckpoint, writeCheckpoint } from './checkpoint-file.js'
import { type EngineName, openEngine } from './engines.js'
import { onInterrupt } from './interrupt.js'
import { openRunData } from './open-data.js'
import { formatSeconds, type Output, paint, percent, withCommas } from './output.js'
import { type ProgressBar, progressBar } from './progress.js'
import { writeRunReport } from './reports/run-report.js'
import { type EpochLine, epochLine, type RunFolder, type RunRequest, requestedSettings } from './run-folder.js'

export interface RunOptions {
  readonly folder: RunFolder
  readonly output: Output
  /** Over the picture. Default: the model and the data. */
  readonly title?: string
}

interface RunContext extends RunOptions {
  readonly engine: Engine
  readonly data: DataSplits
}

/**
 * Trains as asked, from the folder's last checkpoint if it has one, and says how it ended.
 * @returns whether it came to its end; if not, the exit code is that of an interrupted process
 * @throws FoveaError and its kinds; what was saved until then stays, and the message says how to go on. A run that is
 *   refused changes nothing.
 */
export async function runTraining(request: RunRequest, options: RunOptions): Promise<boolean> {
  const { folder, output } = options
  const release = folder.lock()
  try {
    const start = performance.now()
    const saved = folder.hasRun ? savedRun(folder, request) : undefined
    const data = await openRunData(request, output)
    const engine = openEngine({ engine: request.engine, threads: request.threads }, output)
    const images = `${withCommas(data.train.length)} images of ${data.train.imageShape.join('×')}`
    output.say(`${request.model} on ${request.data} (${images}), engine ${engine.description}, kept in ${folder.path}`)
    if (!saved && folder.hasBegun) output.warn(`'${folder.path}' has no checkpoint yet: the run begins again`)
    const model = saved?.model ?? newModel(request, data)
    try {
      const run = await trainIn(model, saved?.training, request, { ...options, data, engine })
      if (run.interrupted) {
        output.warn(`stopped and saved; go on with: ${resumeCommand(folder)}`)
        process.exitCode = 130 // 128 + SIGINT
        return false
      }
      await writeCheckpoint(folder.model, { model: run.model })
      const { accuracy, confusion } = await run.evaluate()
      const title = options.title ?? `${request.model} on ${data.train.name.replace(/\/train$/, '')}`
      const results = { model: run.model, data, engine, title, epochs: run.history, confusion, accuracy }
      const picture = await writeRunReport(folder.file('report'), results)
      const seconds = (performance.now() - start) / 1000
      output.result({ event: 'done', checkpoint: folder.model, testAccuracy: accuracy, seconds })
      output.say(`held-out accuracy ${percent(accuracy)}\nmodel    ${folder.model}\npicture  ${picture}`)
      return true
    } catch (error) {
      throw withAdvice(error, folder)
    }
  } finally {
    release()
  }
}

/** @throws FoveaError where what was saved is not this run */
function savedRun(folder: RunFolder, request: RunRequest): Required<Checkpoint> {
  const { model, training } = readCheckpoint(folder.last)
  if (training === undefined) throw new FoveaError(`'${folder.last}' holds no state of training: it cannot go on`)
  if (model.name !== request.model) {
    throw new FoveaError(`'${folder.last}' holds a ${model.name}, the run in '${folder.path}' trains ${request.model}`)
  }
  return { model, training }
}

/** What tells a user how to go on with a run. */
export const resumeCommand = ({ path }: RunFolder): string => `npx fovea train --resume ${path}`

/** A model by name, for the images and classes of the data. */
export function newModel({ model, seed }: Pick<RunRequest, 'model' | 'seed'>, { train: images }: DataSplits): Model {
  return createModel(model, {
    input: images.imageShape,
    labels: images.classes,
    normalization: measureNormalization(images),
    images,
    seed,
  })
}

async function trainIn(
  model: Model,
  resume: TrainingState | undefined,
  request: RunRequest,
  { folder, engine, data, output }: RunContext,
): Promise<TrainingRun> {
  const { epochs, memory, saveSeconds } = request
  const lines: EpochLine[] = folder.readEpochs(resume?.epoch ?? 0)
  const bar = epochBar(epochs)
  const interrupt = onInterrupt(() => {
    bar.stop()
    output.warn('finishing the step, then saving (Ctrl-C again ends at once)')
  })
  try {
    return await train(model, {
      data,
      engine,
      epochs,
      ...requestedSettings(request),
      ...(memory && { memory }),
      ...(saveSeconds === undefined ? {} : { saveSeconds }),
      signal: interrupt.signal,
      ...(resume === undefined ? {} : { resume }),
      onStart: () => folder.begin({ ...request, engine: engine.name as EngineName, threads: engine.threads }),
      onStep: bar.update,
      onEpoch: async epoch => {
        bar.stop()
        const line = epochLine({ event: 'epoch', ...epoch })
        lines.push(line)
        output.result(line)
        output.say(describeEpoch(line, epochs))
        await folder.writeEpochs(lines)
      },
      save: checkpoint => writeCheckpoint(folder.last, checkpoint),
    })
  } finally {
    bar.stop()
    interrupt.release()
  }
}

/** Adds to an error of a run that was under way what is kept of it. */
function withAdvice(error: unknown, folder: RunFolder): unknown {
  if (!(error instanceof FoveaError) || error instanceof InvalidArgumentError || !folder.hasBegun) return error
  const advise = (advice: string): FoveaError => new FoveaError(`${error.message}; ${advice}`, { cause: error })
  if (error instanceof DivergenceError) {
    return folder.hasRun ? advise(`the last good checkpoint is kept in '${folder.last}'`) : error
  }
  const kept = folder.hasRun ? 'what was saved last is kept; go on' : 'nothing was saved yet; begin again'
  return advise(`${kept} with: ${resumeCommand(folder)}`)
}

function describeEpoch(line: EpochLine, epochs: number): string {
  const count = `epoch ${String(line.epoch).padStart(String(epochs).length)}/${epochs}`
  return [
    paint('bold', count),
    `loss ${line.loss.toFixed(4)}  accuracy ${percent(line.accuracy)}`,
    `held-out ${line.validationLoss.toFixed(4)}  ${paint('green', percent(line.validationAccuracy))}`,
    paint('dim', `${withCommas(Math.round(line.imagesPerSecond))} images/s  ${line.seconds.toFixed(1)} s`),
  ].join('  ')
}

/** A bar for each epoch. */
function epochBar(epochs: number) {
  let bar: ProgressBar | undefined
  let shown = 0
  return {
    update({ epoch, step, steps, loss, accuracy, imagesPerSecond, secondsLeft }: StepProgress): void {
      if (shown !== epoch) {
        bar?.stop()
        bar = progressBar(`epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`, steps)
        shown = epoch
      }
      const speed = `${withCommas(Math.round(imagesPerSecond))} images/s`
      const left = `${formatSeconds(secondsLeft)} left`
      bar?.update(step, `loss ${loss.toFixed(3)}  accuracy ${percent(accuracy)}  ${speed}  ${left}`)
    },
    stop(): void {
      bar?.stop()
      bar = undefined
    },
  }
}
