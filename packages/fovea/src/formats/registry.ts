/** @file All formats that models are read from. A file is of the first that its content fits, whatever it is called. */
import { FormatError } from '../errors.js'
import { checkArguments } from '../settings/group.js'
import { callback, text, typedArray } from '../settings/kinds.js'
import { safetensors } from './checkpoint.js'
import { kerasHdf5, kerasZip } from './keras.js'
import type { ModelFormat, ModelSource, ReadBeside } from './model-source.js'
import { contentOf, insteadOfFile } from './no-weights.js'
import { onnx } from './onnx/decode.js'
import { pytorchLegacy, pytorchZip } from './pytorch.js'
import { sharded } from './sharded.js'
import type { WeightSource } from './weight-source.js'

/** Formats of one file. */
const single: readonly ModelFormat[] = [onnx, kerasHdf5, kerasZip, pytorchZip, pytorchLegacy, safetensors]
const formats: readonly ModelFormat[] = [
  sharded((name, file) => weightsIn(name, openAny(single, name, file, nothingBeside))),
  ...single,
]

/**
 * Opens a file of a model: no tensor and no graph is read before it is asked for.
 * @param name the file's, for messages
 * @param beside reads the other files of weights in several files, and those that an ONNX file keeps its numbers in. Default: there
 *   are none
 * @throws FormatError naming the file and what is wrong with it
 */
export function openSource(name: string, file: Uint8Array, beside: ReadBeside = nothingBeside): ModelSource {
  checkArguments(openArguments, { name, file, beside })
  return openAny(formats, name, file, beside)
}

/**
 * The same, of a file with weights by name.
 * @throws as openSource; FormatError for a file that gives its model as a whole alone
 */
export const openWeights = (name: string, file: Uint8Array, beside: ReadBeside = nothingBeside): WeightSource =>
  weightsIn(name, openSource(name, file, beside))

const openArguments = {
  name: text("the file's, for messages"),
  file: typedArray('all its bytes', 'Uint8Array'),
  beside: callback<ReadBeside>('reads the other files of weights in several files').optional(),
}

function weightsIn(name: string, { weights }: ModelSource): WeightSource {
  if (weights !== undefined) return weights
  throw new FormatError(`'${name}' holds a model as a whole, not weights for another`)
}

function openAny(among: readonly ModelFormat[], name: string, file: Uint8Array, beside: ReadBeside): ModelSource {
  const mistake = insteadOfFile(file)
  if (mistake !== undefined) throw new FormatError(`'${name}' is ${mistake}`)
  const format = among.find(({ matches }) => matches(file))
  if (format !== undefined) return format.open(name, file, beside)
  throw new FormatError(`'${name}' is ${contentOf(file)}, not a file of weights: ${whatIsRead}`)
}

const whatIsRead = 'those of PyTorch, Keras and safetensors are read, and ONNX models'

function nothingBeside(name: string): never {
  throw new FormatError(`'${name}' is needed beside it`)
}
