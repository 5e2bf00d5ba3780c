/** @file What both pages' workers do: train, tell how it goes, and measure. Knows no page. */
import {
  type Dataset,
  type EpochReport,
  type Evaluation,
  type Model,
  type StepProgress,
  type TrainOptions,
  train,
} from 'fovea'

/** How a training goes: after each step, and after each epoch. */
export type Progress =
  | { readonly phase: string; readonly step: StepProgress }
  | { readonly phase: string; readonly epoch: EpochReport }

/** What came of it, on the held-out pictures. */
export interface Results {
  readonly classes: readonly string[]
  readonly accuracy: number
  /** [actual][predicted] counts. */
  readonly confusion: readonly (readonly number[])[]
  readonly mistakes: readonly {
    readonly picture: Blob
    readonly label: string
    readonly predicted: string
    /** Of the prediction. */
    readonly probability: number
  }[]
}

/** So many mistakes are shown. */
const SHOWN = 12

/** Trains, and tells of each step and epoch. @param phase what is told beside */
export async function trainAndTell(
  model: Model,
  options: TrainOptions,
  phase: string,
  tell: (progress: Progress) => void,
): Promise<{ readonly model: Model; readonly evaluation: Evaluation; readonly interrupted: boolean }> {
  const run = await train(model, {
    ...options,
    onStep: step => tell({ phase, step }),
    onEpoch: epoch => tell({ phase, epoch }),
  })
  return { model: run.model, interrupted: run.interrupted, evaluation: await run.evaluate() }
}

/** @param pictureAt the picture of an index of the held-out data */
export async function resultsOf(
  { accuracy, confusion, mistakes }: Evaluation,
  { classes }: Pick<Dataset, 'classes'>,
  pictureAt: (index: number) => Blob | Promise<Blob>,
): Promise<Results> {
  const shown = mistakes.slice(0, SHOWN).map(async ({ image, label, predicted, probability }) => ({
    picture: await pictureAt(image),
    label: classes[label],
    predicted: classes[predicted],
    probability,
  }))
  return { classes, accuracy, confusion, mistakes: await Promise.all(shown) }
}
