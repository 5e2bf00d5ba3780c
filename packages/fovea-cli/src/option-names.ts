/** @file What the library says of a setting, in the names of the options that a user gave. */
import { type InvalidArgumentError, SettingError } from 'fovea'
import { UsageError } from './usage.js'

/** The options that are not called as the settings that they give. */
const options: Readonly<Record<string, string>> = {
  batchSize: '--batch',
  keepFloat32: '--keep-float32',
  accumulate: '--accumulate',
  clipNorm: '--clip-norm',
  augmentation: '--augment',
}

const spoken: readonly (readonly [setting: RegExp, option: string])[] = [
  [/^parameter group (?='.*': it matches)/, '--freeze '],
  [/^(unknown )?setting '/, "--set: $1'"],
  [/^accumulate\b/, '--accumulate'],
  [/^clipNorm\b/, '--clip-norm'],
  [/^data set '.*': (?=\d+ images cannot be of all)/, '--limit: '],
]

/** The same error, as one of usage, if it is about a setting that has an option; else as it is. */
export function inOptionNames(error: InvalidArgumentError): InvalidArgumentError {
  if (error instanceof SettingError) {
    const [name, ...part] = error.setting.split('.')
    if (!Object.hasOwn(options, name)) return error
    const option = [options[name], ...(part.length > 0 ? [part.join('.')] : [])].join(' ')
    return new UsageError(`${option}: ${error.problem}`, { cause: error })
  }
  const found = spoken.find(([setting]) => setting.test(error.message))
  return found === undefined ? error : new UsageError(error.message.replace(...found), { cause: error })
}

/** `learningRate` as `--learning-rate`; the model is no option. */
export const optionOf = (name: string): string =>
  name === 'model' ? name : `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
