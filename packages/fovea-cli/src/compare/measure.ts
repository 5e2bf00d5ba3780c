/**
 * @file What is measured of a comparison's rows: times, all rows in turns; and accuracy, for which models by name are
 * trained, all in the same way.
 */
import { statSync } from 'node:fs'
import {
  type DataSplits,
  DivergenceError,
  type Engine,
  type Evaluation,
  evaluate,
  evaluationGraph,
  type Graph,
  train,
  trainingGraph,
} from 'fovea'
import { wilsonInterval } from '../account/interval.js'
import { quantiles, type TimedStep, timedStep } from '../benchmark.js'
import { modelFile } from '../checkpoint-file.js'
import { formatSeconds, percent, withCommas } from '../output.js'
import type { StagedProgress } from '../progress.js'
import { rowArithmetic, rowPrecision } from './row-types.js'
import { type ComparedModel, type PlannedRow, typesOf } from './rows.js'
import { aboutSubject } from './subjects.js'

export interface MeasureOptions {
  readonly engine: Engine
  /** Of each row, measured. */
  readonly steps: number
  /** The same of inference for one image, which is soon done. Default: `steps`. */
  readonly latencySteps?: number
  /** Of one kind of step: after so long, fewer steps will do, but five of each row at least. Default: all are made. */
  readonly mostMs?: number
  /** Of models by name. Default: they are not trained. */
  readonly epochs?: number
  /** Aborting it ends the work after the step under way. */
  readonly signal: AbortSignal
  /** For people: what is under way, and what took long to find out. */
  readonly progress: StagedProgress
  readonly say: (text: string) => void
}

/** Images at a time, where it is measured how many a second a model takes. */
const BATCH = 32

/** @throws FoveaError naming the row; what the signal was aborted with */
export async function measureRows(planned: readonly PlannedRow[], options: MeasureOptions): Promise<ComparedModel[]> {
  const { engine, steps, latencySteps = steps } = options
  const trained = planned.filter(({ trainingBytes }) => trainingBytes !== undefined)
  const trainingMs = trained.length > 0 ? await medianMs(trained, trainingSteps, options) : []
  const stepMs = new Map(trained.map((row, i) => [row, trainingMs[i]]))
  const latencyMs = await medianMs(planned, inferences(1), { ...options, steps: latencySteps })
  const batchMs = await medianMs(planned, inferences(BATCH), options)
  const recognized: Recognition[] = []
  /** Models may have their classes in another order. */
  const classesIn = (i: number): string[] =>
    recognized[i].evaluation!.predictions.map(label => planned[i].subject.model.labels[label])
  const changed = (first: number, i: number): number => {
    const before = classesIn(first)
    return classesIn(i).filter((name, image) => name !== before[image]).length
  }
  for (const row of planned) recognized.push(await ofRow(row, () => recognition(row, options)))
  return planned.map((row, i): ComparedModel => {
    const { model: _, layers, parameters, multiplyAdds, ...bytes } = row.summary
    const { precision, batchSize: batch } = row.settings
    const { name, model, saved } = row.subject
    const { evaluation, ...rest } = recognized[i]
    const first = planned.findIndex((other, j) => other.subject.model.name === model.name && recognized[j].evaluation)
    return {
      ...{ model: name, architecture: model.name, precision: rowPrecision(model, precision), ...row.reduction },
      ...{ parameters, multiplyAdds, ...bytes, peakActivationBytes: row.peakActivationBytes },
      ...(row.trainingBytes && { trainingBytes: row.trainingBytes }),
      arithmetic: rowArithmetic(model, precision, engine),
      latencyMs: latencyMs[i],
      throughput: { batch: BATCH, imagesPerSecond: (1000 * BATCH) / batchMs[i] },
      ...(saved && { fileBytes: statSync(modelFile(name)).size }),
      ...(stepMs.has(row) && { batch, stepMs: stepMs.get(row)! }),
      ...(evaluation && measuresOf(evaluation, changed(first, i))),
      ...rest,
      layers,
    }
  })
}

function measuresOf({ accuracy, calibrationError, predictions: { length } }: Evaluation, changedPredictions: number) {
  const accuracyInterval = wilsonInterval(accuracy, length)
  return { accuracy, accuracyInterval, images: length, calibrationError, changedPredictions }
}

/** What is timed. */
export interface Timing {
  readonly label: string
  readonly graph: (row: PlannedRow) => Graph
  /** Steps before the one that is measured, in each turn. */
  readonly unmeasured: number
}

const trainingSteps: Timing = {
  label: 'training steps',
  graph: ({ subject, settings }) => trainingGraph(subject.model.graph, settings),
  unmeasured: 0,
}

/** Inference of so many images at once. */
export const inferences = (batch: number): Timing => ({
  label: `inference of ${batch === 1 ? 'one image' : `${batch} images`}`,
  graph: ({ subject, settings }) => evaluationGraph(subject.model.graph, batch, typesOf(settings)),
  // One image is soon done: weights that the other rows have driven out of the cache would count.
  unmeasured: batch === 1 ? 1 : 0,
})

/** Of so many turns a median is no accident. */
const LEAST_ROUNDS = 5

/** Medians over rounds in which each row has its turn, so that a busy moment of the machine hits all alike. */
export async function medianMs(
  planned: readonly PlannedRow[],
  { label, graph, unmeasured }: Timing,
  {
    steps,
    mostMs = Number.POSITIVE_INFINITY,
    engine,
    signal,
    progress,
  }: Pick<MeasureOptions, 'steps' | 'mostMs' | 'engine' | 'signal' | 'progress'>,
): Promise<number[]> {
  const timed: TimedStep[] = []
  progress.begin(label, planned.length * steps)
  try {
    for (const row of planned) {
      signal.throwIfAborted()
      timed.push(await ofRow(row, () => timedStep(graph(row), engine, row.subject.model.weights)))
    }
    const times = planned.map((): number[] => [])
    const begin = performance.now()
    for (let round = 0; round < steps; round++) {
      if (round >= LEAST_ROUNDS && performance.now() - begin > mostMs) break
      for (const [i, step] of timed.entries()) {
        signal.throwIfAborted()
        for (let j = 0; j < unmeasured; j++) await step.run()
        times[i].push(await step.run())
        progress.update(round * planned.length + i + 1, planned[i].label)
      }
    }
    return times.map(each => quantiles(each)(0.5))
  } finally {
    for (const { program } of timed) program.dispose()
  }
}

type Recognition = Pick<ComparedModel, 'skippedSteps' | 'diverged'> & { readonly evaluation?: Evaluation }

/** What a saved model makes of the held-out images, or one by name once it is trained. */
async function recognition(row: PlannedRow, options: MeasureOptions): Promise<Recognition> {
  const { engine, signal, progress } = options
  const { model, training, images, evaluation } = row.subject
  signal.throwIfAborted()
  if (evaluation) return { evaluation }
  if (training) return trainedRecognition(row, { ...options, data: training })
  if (images === undefined) return {}
  progress.begin(`${row.label}: ${withCommas(images.length)} images`, 1)
  const { precision, keepFloat32 } = row.settings
  return { evaluation: await evaluate(model, images, { engine, precision, ...(keepFloat32 && { keepFloat32 }) }) }
}

async function trainedRecognition(
  { subject, label, given }: PlannedRow,
  { data, engine, epochs = 1, signal, progress, say }: MeasureOptions & { readonly data: DataSplits },
): Promise<Recognition> {
  let skipped: Pick<Recognition, 'skippedSteps'> = {}
  progress.begin(label, epochs)
  try {
    const run = await train(subject.model, {
      ...{ ...given, data, epochs, engine, signal },
      onStep: ({ epoch, step, steps, loss, accuracy, secondsLeft, lossScale }) => {
        if (lossScale) skipped = { skippedSteps: lossScale.skippedSteps }
        const words = `loss ${loss.toFixed(3)}  accuracy ${percent(accuracy)}  ${formatSeconds(secondsLeft)} left`
        progress.update(epoch - 1 + step / steps, words)
      },
    })
    signal.throwIfAborted()
    const evaluation = await run.evaluate()
    progress.stop()
    say(`${label}: ${percent(evaluation.accuracy)} after training`)
    return { evaluation, ...skipped }
  } catch (error) {
    // That a precision does not hold out is a result of the comparison, not its end.
    if (!(error instanceof DivergenceError)) throw error
    return { ...skipped, diverged: error.message }
  }
}

/** What goes wrong with a row says with which. */
async function ofRow<T>({ label }: PlannedRow, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw aboutSubject(label, error)
  }
}
