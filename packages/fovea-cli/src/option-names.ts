/** @file What the library says of a setting, in the names of the options that a user gave. */
import { type InvalidArgumentError, SettingError } from 'fovea'
import { UsageError } from './usage.js'

/** The options by which settings are given. */
const options: Readonly<Record<string, string>> = {
  batchSize: '--batch',
  epochs: '--epochs',
  recipe: '--recipe',
  learningRate: '--learning-rate',
  keepFloat32: '--keep-float32',
  accumulate: '--accumulate',
  clipNorm: '--clip-norm',
  freeze: '--freeze',
  normStatistics: '--norm-statistics',
  augment: '--augment',
  override: '--set',
  count: '--limit',
}

/** The same error, as one of usage, if it is about a setting that has an option; else as it is. */
export function inOptionNames(error: InvalidArgumentError): InvalidArgumentError {
  if (!(error instanceof SettingError)) return error
  const [name, ...part] = error.setting.split('.')
  if (!Object.hasOwn(options, name)) return error
  const option = part.length > 0 ? `${options[name]} ${part.join('.')}` : options[name]
  return new UsageError(`${option}: ${error.problem}`, { cause: error })
}

/** `learningRate` as `--learning-rate`; the model is no option. */
export const optionOf = (name: string): string =>
  name === 'model' ? name : `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
