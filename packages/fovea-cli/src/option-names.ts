/** @file What the library says of a setting, in the names of the options that a user gave. */
import { type InvalidArgumentError, SettingError } from 'fovea'
import { UsageError } from './usage.js'

/** The settings that have an option of their own. */
const settings: readonly string[] = [
  ...['batchSize', 'epochs', 'recipe', 'learningRate', 'keepFloat32', 'accumulate', 'clipNorm', 'freeze'],
  ...['normStatistics', 'augment', 'override', 'count', 'pruning', 'amount', 'importance', 'scope', 'pattern'],
]

/** Options that are not called as their setting is. */
const otherNames = new Map([
  ['batchSize', 'batch'],
  ['count', 'limit'],
  ['override', 'set'],
])

/** The same error, as one of usage, if it is about a setting that has an option; else as it is. */
export function inOptionNames(error: InvalidArgumentError): InvalidArgumentError {
  if (!(error instanceof SettingError)) return error
  const [name, ...part] = error.setting.split('.')
  if (!settings.includes(name)) return error
  const option = [optionOf(name), ...(part.length > 0 ? [part.join('.')] : [])].join(' ')
  return new UsageError(`${option}: ${error.problem}`, { cause: error })
}

/** `learningRate` as `--learning-rate`; the model is no option. */
export function optionOf(setting: string): string {
  const name = otherNames.get(setting) ?? setting
  return name === 'model' ? name : `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}
