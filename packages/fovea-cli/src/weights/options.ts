/** @file What a command line says of weights from elsewhere: which model they are of, and how images are normalized. */
import { Option } from 'commander'
import { type Normalization, normalizations } from 'fovea'
import { modelName, UsageError } from '../usage.js'

/** What such an argument is, for help. */
export const aboutWeights =
  'a model that fovea saved, the folder of a run, an ONNX file, or weights of PyTorch, Keras or safetensors'

/** For commands that read a model. */
export const modelOption = (): Option =>
  new Option('--model <name>', 'the model, if the file holds only weights').argParser(modelName)

const named: Readonly<Record<string, Normalization>> = normalizations

/** Names, or the numbers themselves. */
export const normalizeOption = (): Option =>
  new Option(
    '--normalize <how>',
    `how images are normalized for its weights: ${Object.keys(named).join(', ')}, or MEAN/DEVIATION such as 0.5,0.5,0.5/0.2,0.2,0.2 (default: as the file says, or config.json beside it, else by the model's data set)`,
  ).argParser(checked)

/** The option's text, once it is known to be right. */
function checked(text: string): string {
  normalizationOf(text)
  return text
}

/** @throws UsageError for what is neither a name nor numbers */
export function normalizationOf(text: string): Normalization {
  if (Object.hasOwn(named, text)) return named[text]
  const [mean = [], deviation = [], ...more] = text.split('/').map(part => part.split(',').map(numberOf))
  const fits =
    more.length === 0 && [...mean, ...deviation].every(Number.isFinite) && deviation.every(value => value > 0)
  if (!fits || mean.length !== deviation.length || (mean.length !== 3 && mean.length !== 1)) {
    const names = Object.keys(named).join(', ')
    throw new UsageError(
      `--normalize takes ${names} or MEAN/DEVIATION, a number for each channel: 0.5,0.5,0.5/0.2,0.2,0.2, not '${text}'`,
    )
  }
  return { mean, deviation }
}

const numberOf = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text))
