/** @file Where a run stands while it runs, and how that changes: with a step, with an epoch. Knows no engine and no files. */
import type { Model, Weights } from '../models/model.js'
import { bestWeights, stopsEarly } from './early-stopping.js'
import type { Evaluation } from './evaluate.js'
import { initialLossScale } from './features/loss-scale.js'
import type { ResolvedSettings } from './settings-table.js'
import type { EpochMetrics, LossScaleState, TrainingState } from './training-state.js'
import type { StepResult } from './training-step.js'

/** Weights, and what they came to on the held-out images, where that is known. */
export interface Measured {
  readonly weights: Weights
  readonly evaluation?: Evaluation
}

/** In the words of `TrainingState`, which is what is saved of it. */
export interface RunState extends Pick<TrainingState, 'epoch' | 'step' | 'lossSum' | 'correct' | 'history'> {
  /** Undefined for types that need none. */
  readonly lossScale: LossScaleState | undefined
  /** With early stopping, the epoch with the lowest held-out loss so far. */
  readonly best: Measured | undefined
}

/** Where a run begins, or goes on. */
export function startOf(model: Model, settings: ResolvedSettings, resume: TrainingState | undefined): RunState {
  const { epoch, step, lossSum, correct, history } = resume ?? {
    epoch: 0,
    step: 0,
    lossSum: 0,
    correct: 0,
    history: [],
  }
  const best = settings.earlyStopping && resume && bestWeights(model, resume.slots)
  return {
    ...{ epoch, step, lossSum, correct, history },
    lossScale: settings.precision === 'mixed_float16' ? (resume?.lossScale ?? initialLossScale) : undefined,
    best: best && { weights: best },
  }
}

export const afterStep = (state: RunState, { loss, correct, lossScale }: StepResult): RunState => ({
  ...state,
  ...{ step: state.step + 1, lossSum: state.lossSum + loss, correct: state.correct + correct, lossScale },
})

/** @param best the epoch's own weights, where it is the best so far */
export const afterEpoch = (state: RunState, metrics: EpochMetrics, best: Measured | undefined): RunState => ({
  ...state,
  ...{ epoch: state.epoch + 1, step: 0, lossSum: 0, correct: 0, history: [...state.history, metrics] },
  best: best ?? state.best,
})

/** Loss and accuracy of the epoch under way: means over its steps so far. */
export const meansOf = (
  { step, lossSum, correct }: RunState,
  batchSize: number,
): Pick<EpochMetrics, 'loss' | 'accuracy'> => ({ loss: lossSum / step, accuracy: correct / (step * batchSize) })

/** Whether the run is at its end: it has all its epochs, or stops early. */
export const hasEnded = ({ epoch, step, history }: RunState, epochs: number, { earlyStopping }: ResolvedSettings) =>
  epoch === epochs || (step === 0 && earlyStopping !== undefined && stopsEarly(history, earlyStopping))
