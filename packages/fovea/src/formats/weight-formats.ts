/** @file All formats that weights are read from. A file is of the first that its content fits, whatever it is called. */
import { FormatError } from '../errors.js'
import { checkArguments } from '../settings/group.js'
import { callback, text, typedArray } from '../settings/kinds.js'
import { kerasHdf5, kerasZip } from './keras.js'
import { contentOf, insteadOfFile } from './no-weights.js'
import { pytorchLegacy, pytorchZip } from './pytorch.js'
import { safetensors } from './safetensors.js'
import { sharded } from './sharded.js'
import type { ReadBeside, WeightFormat, WeightSource } from './weight-source.js'

/** Formats of one file. */
const single: readonly WeightFormat[] = [kerasHdf5, kerasZip, pytorchZip, pytorchLegacy, safetensors]
const formats: readonly WeightFormat[] = [
  sharded((name, file) => openAny(single, name, file, nothingBeside)),
  ...single,
]

/**
 * Opens weights: no tensor is read before it is asked for.
 * @param name the file's, for messages
 * @param beside reads the other files of weights in several files. Default: there are none
 * @throws FormatError naming the file and what is wrong with it
 */
export function openWeights(name: string, file: Uint8Array, beside: ReadBeside = nothingBeside): WeightSource {
  checkArguments(openArguments, { name, file, beside })
  return openAny(formats, name, file, beside)
}

const openArguments = {
  name: text("the file's, for messages"),
  file: typedArray('all its bytes', 'Uint8Array'),
  beside: callback<ReadBeside>('reads the other files of weights in several files').optional(),
}

/**
 * Whether a file is of another format than Fovea's own.
 * @throws FormatError for what is often taken for weights
 */
export function isForeign(name: string, file: Uint8Array): boolean {
  checkArguments(openArguments, { name, file, beside: undefined })
  return formatOf(formats, name, file) !== safetensors
}

const openAny = (among: readonly WeightFormat[], name: string, file: Uint8Array, beside: ReadBeside): WeightSource =>
  formatOf(among, name, file).open(name, file, beside)

function formatOf(among: readonly WeightFormat[], name: string, file: Uint8Array): WeightFormat {
  const mistake = insteadOfFile(file)
  if (mistake !== undefined) throw new FormatError(`'${name}' is ${mistake}`)
  const format = among.find(({ matches }) => matches(file))
  if (format !== undefined) return format
  throw new FormatError(`'${name}' is ${contentOf(file)}, not a file of weights: ${whatIsRead}`)
}

const whatIsRead = 'those of PyTorch, Keras and safetensors are read, and ONNX models'

function nothingBeside(name: string): never {
  throw new FormatError(`'${name}' is needed beside it`)
}
