/** @file What the library says of a setting, in the names of the options that a user gave. */
import type { InvalidArgumentError } from 'fovea'
import { UsageError } from './usage.js'

const options: readonly (readonly [setting: RegExp, option: string])[] = [
  [/^parameter group (?='.*': it matches)/, '--freeze '],
  [/^(unknown )?setting '/, "--set: $1'"],
  [/^keepFloat32\b/, '--keep-float32'],
  [/^accumulate\b/, '--accumulate'],
  [/^clipNorm\b/, '--clip-norm'],
  [/^(resizedCrop|colorJitter|erase|mixup|cutmix|rand-augment|cutout|random-erasing)\b/, '--augment: $1'],
  [/^data set '.*': a batch of\b/, '--batch: a batch of'],
]

/** The same error, as one of usage, if it is about a setting that has an option; else as it is. */
export function inOptionNames(error: InvalidArgumentError): InvalidArgumentError {
  const found = options.find(([setting]) => setting.test(error.message))
  return found === undefined ? error : new UsageError(error.message.replace(...found), { cause: error })
}

/** `learningRate` as `--learning-rate`; the model is no option. */
export const optionOf = (name: string): string =>
  name === 'model' ? name : `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
