/** @file The model of a file that says itself what it holds, and what a command line says otherwise of its images. */
import type { Checkpoint, GraphSource, Model, Normalization } from 'fovea'
import { printable } from './printable.js'
import { writeStderr } from './stdout.js'
import { UsageError } from './usage.js'
import { normalizationOf } from './weights/options.js'

/** Where nobody else is told. */
export const sayNotice = (notice: string): void => writeStderr(`${printable(notice)}\n`)

/** What a command line adds to such a file. */
export interface DescribedOptions {
  /** What `--normalize` asks for. Default: as the file says. */
  readonly normalize?: string | undefined
  /** Is told what the file does not say, and what it says and is not taken. Default: it is said on stderr. */
  readonly onNotice?: (notice: string) => void
}

/**
 * @param file its path, for messages
 * @throws FormatError naming what is wrong with the file; UsageError for a normalization of other channels
 */
export function readDescribed(
  file: string,
  graph: GraphSource,
  { normalize, onNotice = sayNotice }: DescribedOptions = {},
): Checkpoint {
  const notices: string[] = []
  const checkpoint = graph.read(notice => void notices.push(notice))
  if (normalize === undefined) {
    notices.forEach(onNotice)
    return checkpoint
  }
  const { model } = checkpoint
  const normalization = givenNormalization(file, normalize, model)
  // A file without a notice says how its images are normalized.
  if (notices.length === 0) onNotice(aboutReplaced(file, normalize, model.preprocessing))
  return { ...checkpoint, model: { ...model, preprocessing: { ...model.preprocessing, ...normalization } } }
}

function givenNormalization(file: string, normalize: string, { preprocessing: { size } }: Model): Normalization {
  const normalization = normalizationOf(normalize)
  const { length } = normalization.mean
  if (length === size[2]) return normalization
  throw new UsageError(
    `--normalize ${normalize} is for images of ${length} channels; those of '${file}' have ${size[2]}`,
  )
}

const aboutReplaced = (file: string, normalize: string, { mean, deviation }: Normalization): string =>
  `'${file}' says that images are normalized by mean ${mean.join(', ')} and deviation ${deviation.join(', ')}: --normalize ${normalize} is taken instead`
