/**
 * @file A training run as the command line does it: opens data and engine, trains with progress, keeps checkpoints and a
 * log in the run's folder, draws the picture. What a run is made of is a RunRequest; everything random follows from it.
 */
import {
  type Checkpoint,
  connectionsOf,
  type DataSplits,
  DivergenceError,
  type Engine,
  type Evaluation,
  FoveaError,
  InvalidArgumentError,
  type Model,
  type RunStart,
  type StepProgress,
  type TrainingRun,
  type TrainingState,
  train,
} from 'fovea'
import { aboutLoaded, dataEvent } from './about-data.js'
import { readCheckpoint, readModel, writeCheckpoint } from './checkpoint-file.js'
import type { LoadedData } from './data/index.js'
import { openEngine } from './engines.js'
import { onInterrupt } from './interrupt.js'
import { dataName, openRunData } from './open-data.js'
import { formatSeconds, type Output, paint, percent, type Styled, withCommas } from './output.js'
import { StagedProgress } from './progress.js'
import { writeRunReport } from './reports/run-report.js'
import { type EpochLine, epochLine, type RunFolder, resumeCommand } from './run-folder.js'
import { finished, type RunRecord, type RunRequest, recordOf, requestedSettings } from './run-record.js'
import { pretrained, startingModel } from './starting-model.js'
import { readTrainedImages, writeTrainedImages } from './trained-images.js'

export interface RunOptions {
  readonly folder: RunFolder
  /** Whether the folder's run goes on; otherwise one begins there, and nothing that is there is replaced. */
  readonly resume: boolean
  readonly output: Output
  /** Over the picture. Default: the model and the data. */
  readonly title?: string
  /** What `data` of the request names, where it is open already. */
  readonly data?: LoadedData
  /** What a user types to go on. Default: `fovea train --resume`. */
  readonly resumedBy?: string
}

/** A run that is done. */
export interface TrainedRun {
  /** On the test images. */
  readonly evaluation: Evaluation
  readonly data: LoadedData
}

interface RunContext extends Omit<RunOptions, 'data'> {
  readonly engine: Engine
  readonly data: DataSplits
  /** Once all is checked, before the first step. */
  readonly onStart: (run: RunStart) => Promise<void>
}

/**
 * Trains as asked, with `resume` from the folder's last checkpoint if it has one, and says how it ended.
 * @returns undefined if it was interrupted: then the exit code says so
 * @throws FoveaError and its kinds; what was saved until then stays, and the message says how to go on. A run that is
 *   refused changes nothing.
 */
export async function runTraining(request: RunRequest, options: RunOptions): Promise<TrainedRun | undefined> {
  const { folder, resume, output } = options
  const release = folder.lock()
  try {
    if (!resume) folder.checkNew()
    const start = performance.now()
    const saved = folder.hasRun ? savedRun(folder, request) : undefined
    // A run that goes on has its model, wherever that came from.
    const trained = saved ? (request.from === undefined ? undefined : saved.model) : pretrained(request, output)
    const data = options.data ?? (await openRunData(request, output, trained))
    output.result(dataEvent(request.data, aboutLoaded(data)))
    const engine = openEngine(request, output)
    const images = `${withCommas(data.train.length)} images of ${data.train.imageShape.join('×')}`
    output.say(`${request.model} on ${request.data} (${images}), engine ${engine.description}, kept in ${folder.path}`)
    if (request.precision !== 'float32') output.say(aboutPrecision(request.precision, engine))
    if (!saved && folder.hasBegun) output.warn(`'${folder.path}' has no checkpoint yet: the run begins again`)
    const model = saved?.model ?? startingModel(request, data, trained)
    const before = folder.hasBegun ? folder.readRecord() : undefined
    let record: RunRecord | undefined
    const onStart = async ({ settings, features }: RunStart): Promise<void> => {
      if (features) output.say(aboutFeatures(features))
      record = recordOf(request, { model, data, engine, settings }, before)
      await folder.writeRecord(record)
      if (saved) return // What it trained on, it trains on.
      await writeTrainedImages(folder.path, data.train, request.from ? readTrainedImages(request.from) : {})
    }
    if (!saved && trained && request.pruning === undefined) warnOfZeros(trained, output)
    try {
      const run = await trainIn(model, saved?.training, request, { ...options, data, engine, onStart })
      if (run.interrupted) {
        output.warn(`stopped and saved; go on with: ${options.resumedBy ?? resumeCommand(folder)}`)
        process.exitCode = 130 // 128 + SIGINT
        return undefined
      }
      await writeCheckpoint(folder.model, { model: run.model })
      const evaluation = await run.evaluate()
      const { testTimeAugmentation } = run.settings
      const augmented =
        testTimeAugmentation === 'none' ? undefined : (await run.evaluate(data.test, { testTimeAugmentation })).accuracy
      const pictures = await writeRunReport(folder.path, {
        ...{ model: run.model, test: data.test, engine, evaluation, epochs: run.history },
        ...(augmented === undefined ? {} : { augmentedAccuracy: augmented }),
        imagesName: data.validation ? 'test images' : 'held-out images',
        title: options.title ?? `${request.model} on ${dataName(data.train)}`,
        trainingImages: data.train.length,
      })
      if (record) await folder.writeRecord(finished(record))
      const seconds = (performance.now() - start) / 1000
      const testAccuracy = evaluation.accuracy
      const more = augmented === undefined ? {} : { augmentedTestAccuracy: augmented }
      output.result({ event: 'done', checkpoint: folder.model, testAccuracy, ...more, seconds })
      output.say(`${data.validation ? 'test' : 'held-out'} accuracy ${percent(testAccuracy)}`)
      if (augmented !== undefined) {
        output.say(`                  ${percent(augmented)} with test-time augmentation (${testTimeAugmentation})`)
      }
      output.say(`model    ${folder.model}`)
      output.say(`picture  ${pictures.report}`)
      output.say(`mistakes ${pictures.mistakes}`)
      return { evaluation, data }
    } catch (error) {
      throw withAdvice(error, folder, options.resumedBy)
    }
  } finally {
    release()
  }
}

/** Of a model that has been pruned, a run would make another. */
function warnOfZeros(model: Model, output: Output): void {
  const layers = connectionsOf(model)
  const [kept, all] = (['kept', 'weights'] as const).map(key => layers.reduce((sum, layer) => sum + layer[key], 0))
  if (kept > 0.75 * all) return
  output.warn(
    `${percent(1 - kept / all)} of its weights are 0, and training changes them: keep them with --pruning kept`,
  )
}

const aboutFeatures = ({ images, seconds }: NonNullable<RunStart['features']>): string =>
  `what the frozen layers make of ${withCommas(images)} images was computed once, in ${formatSeconds(seconds)}; only the rest trains`

function aboutPrecision(precision: RunRequest['precision'], engine: Engine): string {
  const type = precision === 'mixed_float16' ? 'float16' : 'bfloat16'
  const how = {
    native: 'computed as such',
    widened: 'stored as such, computed in float32: less memory, not less time',
    none: 'which this engine does not have',
  }
  return `${precision}: ${type} is ${how[engine.arithmetic(type)]}`
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

async function trainIn(
  model: Model,
  resume: TrainingState | undefined,
  request: RunRequest,
  { folder, engine, data, output, onStart }: RunContext,
): Promise<TrainingRun> {
  const { epochs, memory, saveSeconds, keep = 0, distill } = request
  const lines: EpochLine[] = folder.readEpochs(resume?.epoch ?? 0)
  const teacher = distill === undefined ? undefined : readModel(distill)
  const bar = epochBar()
  // A run that was killed may have left its last epoch without a name of its own.
  if (resume?.step === 0 && resume.epoch > 0 && keep > 0) folder.keepEpoch(resume.epoch, keep)
  const interrupt = onInterrupt(() => {
    bar.stop()
    output.warn('finishing the step, then saving (Ctrl-C again ends at once)')
  })
  try {
    return await train(model, {
      data,
      engine,
      ...(epochs && { epochs }),
      ...requestedSettings(request),
      ...(memory && { memory }),
      ...(teacher && { teacher }),
      ...(saveSeconds === undefined ? {} : { saveSeconds }),
      signal: interrupt.signal,
      ...(resume === undefined ? {} : { resume }),
      onStart,
      onStep: bar.update,
      onEpoch: async epoch => {
        bar.stop()
        const line = epochLine({ event: 'epoch', ...epoch })
        lines.push(line)
        output.result(line)
        output.say(...describeEpoch(line, epoch.epochs))
        await folder.writeEpochs(lines)
      },
      save: async (checkpoint, { epochEnded, best }) => {
        // Before what says that the epoch is done: a run that is killed in between does the epoch, and this, again.
        if (best) await writeCheckpoint(folder.best, { model: best })
        await writeCheckpoint(folder.last, checkpoint)
        if (epochEnded && keep > 0) folder.keepEpoch(lines.length, keep)
      },
    })
  } finally {
    bar.stop()
    interrupt.release()
  }
}

/** Adds to an error of a run that was under way what is kept of it. */
function withAdvice(error: unknown, folder: RunFolder, resumedBy = resumeCommand(folder)): unknown {
  if (!(error instanceof FoveaError) || error instanceof InvalidArgumentError || !folder.hasBegun) return error
  const advise = (advice: string): FoveaError => new FoveaError(`${error.message}; ${advice}`, { cause: error })
  if (error instanceof DivergenceError) {
    return folder.hasRun ? advise(`the last good checkpoint is kept in '${folder.last}'`) : error
  }
  const kept = folder.hasRun ? 'what was saved last is kept; go on' : 'nothing was saved yet; begin again'
  return advise(`${kept} with: ${resumedBy}`)
}

const describeEpoch = (line: EpochLine, epochs: number): (string | Styled)[] => [
  paint('bold', epochOf(line.epoch, epochs)),
  `  loss ${line.loss.toFixed(4)}  accuracy ${percent(line.accuracy)}  held-out ${line.validationLoss.toFixed(4)}  `,
  paint('green', percent(line.validationAccuracy)),
  paint('dim', `  ${withCommas(Math.round(line.imagesPerSecond))} images/s  ${line.seconds.toFixed(1)} s`),
  ...(line.lossScale ? [paint('dim', `  ${withCommas(line.lossScale.skippedSteps)} steps skipped`)] : []),
]

const epochOf = (epoch: number, epochs: number): string =>
  `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`

/** A bar for each epoch. */
function epochBar() {
  const progress = new StagedProgress()
  let shown = 0
  return {
    update({ epoch, epochs, step, steps, loss, accuracy, imagesPerSecond, secondsLeft }: StepProgress): void {
      if (shown !== epoch) progress.begin(epochOf(epoch, epochs), steps)
      shown = epoch
      const speed = `${withCommas(Math.round(imagesPerSecond))} images/s`
      const left = `${formatSeconds(secondsLeft)} left`
      progress.update(step, `loss ${loss.toFixed(3)}  accuracy ${percent(accuracy)}  ${speed}  ${left}`)
    },
    stop: () => progress.stop(),
  }
}
