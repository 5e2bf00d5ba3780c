/** @file Files that say themselves which model they hold, told apart by their content: our own checkpoints, and ONNX. */
import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Checkpoint, decodeCheckpoint, decodeOnnx, FormatError, hasDescription, isOnnx, type Model } from 'fovea'
import { type FileLimit, readWhole } from './files.js'
import { printable } from './printable.js'
import { writeStderr } from './stdout.js'
import { UsageError } from './usage.js'
import { normalizationOf } from './weights/options.js'

/** Where nobody else is told. */
export const sayNotice = (notice: string): void => writeStderr(`${printable(notice)}\n`)

/**
 * Whether a file says which model its weights are of.
 * @throws FormatError for what holds no weights
 */
export const isDescribed = (file: string, bytes: Uint8Array): boolean => isOnnx(bytes) || hasDescription(file, bytes)

/** What a command line adds to such a file. */
export interface DescribedOptions {
  /** What `--normalize` asks for: an ONNX file need not say how its images are normalized. */
  readonly normalize?: string | undefined
  /** Is told what an ONNX file does not say of its images, and is taken for granted. Default: it is said on stderr. */
  readonly onNotice?: (notice: string) => void
}

/**
 * The model of such a file.
 * @throws FormatError naming what is wrong with the file; UsageError for what it says itself
 */
export function decodeDescribed(file: string, bytes: Uint8Array, options: DescribedOptions = {}): Checkpoint {
  if (isOnnx(bytes)) return { model: onnxModel(file, bytes, options) }
  if (options.normalize !== undefined) throw saysItself(file)
  return decodeCheckpoint(file, bytes)
}

function onnxModel(file: string, bytes: Uint8Array, { normalize, onNotice = sayNotice }: DescribedOptions): Model {
  const notices: string[] = []
  const model = decodeOnnx(file, bytes, {
    onNotice: notice => void notices.push(notice),
    beside: name => readUnlinked(join(dirname(file), name)),
  })
  if (normalize === undefined) {
    notices.forEach(onNotice)
    return model
  }
  if (notices.length === 0) throw saysItself(file)
  const [normalization, { size }] = [normalizationOf(normalize), model.preprocessing]
  if (normalization.mean.length === size[2]) return { ...model, preprocessing: { size, ...normalization } }
  throw new UsageError(
    `--normalize ${normalize} is for images of ${normalization.mean.length} channels; those of '${file}' have ${size[2]}`,
  )
}

const LIMIT: FileLimit = { what: "a file of a model's numbers", maxBytes: 16 * 2 ** 30 }

/** A link that a model's file names may lead anywhere. */
function readUnlinked(path: string): Uint8Array {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return readWhole(path, LIMIT)
  throw new FormatError(`'${path}', where its numbers lie, is a link: put the file itself there`)
}

const saysItself = (file: string): UsageError =>
  new UsageError(`--normalize is for files that do not say how images are normalized; '${file}' does`)
