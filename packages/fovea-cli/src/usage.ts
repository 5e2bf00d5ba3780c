/** @file What is checked before a command starts: numbers, names and sizes of options, each with a precise message. */
import { InvalidArgumentError, modelNames, nearestHint, unknownName } from 'fovea'

/** The command was called in a way that cannot work: exit code 2. */
export class UsageError extends InvalidArgumentError {
  override name = 'UsageError'
}

/** Reads an option's text or throws what is wrong with it; commander names the option in front. */
export type OptionParser<T> = (text: string) => T

/** A whole number of at least `least`, and at most `most` where that is given. */
export const wholeNumber =
  (option: string, least: number, most = Number.MAX_SAFE_INTEGER): OptionParser<number> =>
  text => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least || value > most) {
      const bounded = most < Number.MAX_SAFE_INTEGER
      const range = bounded ? `from ${least} to ${most.toLocaleString('en-US')}` : `of at least ${least}`
      throw new UsageError(`${option} takes a whole number ${range}, not '${text}'`)
    }
    return value
  }

/** A number above 0, and below `below` where that is given. */
export const positiveNumber =
  (option: string, below = Number.POSITIVE_INFINITY): OptionParser<number> =>
  text => {
    const value = Number(text)
    if (text.trim() === '' || !(value > 0 && value < below)) {
      const range = below === Number.POSITIVE_INFINITY ? 'above 0' : `above 0 and below ${below}`
      throw new UsageError(`${option} takes a number ${range}, not '${text}'`)
    }
    return value
  }

/** A whole number, negative ones too. */
export const integer =
  (option: string): OptionParser<number> =>
  text => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isSafeInteger(value)) {
      throw new UsageError(`${option} takes a whole number, not '${text}'`)
    }
    return value
  }

/** A model of the registry; torchvision's underscores work too. */
export const modelName: OptionParser<string> = text => {
  if (modelNames.includes(text.replaceAll('_', '-'))) return text.replaceAll('_', '-')
  throw new UsageError(unknownName('model', text, modelNames).message)
}

/** One of a list; offers the nearest. */
export const oneOf =
  <T extends string>(option: string, names: readonly T[]): OptionParser<T> =>
  text => {
    const found = names.find(name => name === text)
    if (found === undefined) throw new UsageError(`${option}: unknown '${text}'${nearestHint(text, names)}`)
    return found
  }

/** `32x32x3`: height, width, channels (1 or 3). */
export const imageSize: OptionParser<[number, number, number]> = text => {
  const match = /^(\d+)[x×](\d+)(?:[x×](\d+))?$/.exec(text)
  const [height, width, channels] = (match?.slice(1) ?? []).map(part => (part === undefined ? 3 : Number(part)))
  if (match === null || height < 1 || width < 1 || (channels !== 1 && channels !== 3)) {
    throw new UsageError(`--input takes HEIGHTxWIDTHxCHANNELS with 1 or 3 channels, such as 32x32x3, not '${text}'`)
  }
  return [height, width, channels]
}

/** The parts of a text between commas. */
export const commaList = (text: string): string[] => text.split(',').map(part => part.trim())

/** Several between commas. */
export const listOf =
  <T>(parse: OptionParser<T>): OptionParser<readonly T[]> =>
  text =>
    commaList(text).map(parse)

/** Patterns over names, between commas. */
export const patternList =
  (option: string, named: 'layers' | 'parameters'): OptionParser<string[]> =>
  text => {
    const patterns = commaList(text)
    if (patterns.includes('')) {
      throw new UsageError(
        `${option} takes patterns over names of ${named} between commas: 'conv1,layer1.*', not '${text}'`,
      )
    }
    return patterns
  }

/** What `--keep-float32` takes. */
export const layerPatterns = patternList('--keep-float32', 'layers')

/** How every command's help explains `--keep-float32`. */
export const aboutKeepFloat32 =
  'layers that stay float32 under mixed precision, such as conv1,layer1.*,fc (default: the first and the last)'

const precisions = ['float32', 'mixed_bfloat16', 'mixed_float16', 'float64'] as const
export type PrecisionName = (typeof precisions)[number]

/** What the engines train and infer in. */
export const trainingPrecisions = [
  'float32',
  'mixed_bfloat16',
  'mixed_float16',
] as const satisfies readonly PrecisionName[]
export type TrainingPrecision = (typeof trainingPrecisions)[number]

/** `--set`: settings with their values, `optimizer.momentum=0.8,augmentation.flip=none`. */
export function settingList(text: string): string[] {
  const entries = commaList(text)
  overrideOf(entries)
  return entries
}

/** @throws UsageError for an entry without a name or a value */
export function overrideOf(entries: readonly string[]): Record<string, number | string | boolean> {
  return Object.fromEntries(
    entries.map(entry => {
      const [, name, value] = /^([^=\s]+)=(\S+)$/.exec(entry) ?? []
      if (name === undefined)
        throw new UsageError(`--set takes settings with their values (name=value), not '${entry}'`)
      if (value === 'true' || value === 'false') return [name, value === 'true']
      return [name, Number.isNaN(Number(value)) ? value : Number(value)]
    }),
  )
}

/**
 * The precisions that a command can compute in, out of all that have a name.
 * @throws UsageError for one that this version does not compute in yet
 */
export const precision =
  <T extends PrecisionName>(available: readonly T[]): OptionParser<T> =>
  text => {
    const known = precisions.find(name => name === text)
    if (known === undefined || (available as readonly PrecisionName[]).includes(known)) {
      return oneOf('--precision', available)(text)
    }
    throw new UsageError(`--precision ${text} is not available here; this command computes in ${available.join(', ')}`)
  }
