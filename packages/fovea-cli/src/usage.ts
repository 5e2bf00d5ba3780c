/** @file What is checked before a command starts: numbers, names and sizes of options, each with a precise message. */
import { InvalidArgumentError, modelNames, nearestHint, precisions, unknownName } from 'fovea'
import { isIn, numberIn, type Range } from 'fovea/engine'

/** The command was called in a way that cannot work: exit code 2. */
export class UsageError extends InvalidArgumentError {
  override name = 'UsageError'
}

/** Reads an option's text or throws what is wrong with it; commander names the option in front. */
export type OptionParser<T> = (text: string) => T

/** A number of a range, as the library's settings take them. */
export const numberOf =
  (option: string, whole: boolean, range: Range): OptionParser<number> =>
  text => {
    const value = Number(text)
    const fits = whole ? Number.isSafeInteger(value) : Number.isFinite(value)
    if (text.trim() === '' || !fits || !isIn(value, range)) {
      throw new UsageError(`${option} takes ${numberIn(whole, range)}, not '${text}'`)
    }
    return value
  }

/** A whole number of at least `least`, and at most `most` where that is given. */
export const wholeNumber = (option: string, least: number, most?: number): OptionParser<number> =>
  numberOf(option, true, { from: least, ...(most !== undefined && { to: most }) })

/** A number above 0, and below `below` where that is given. */
export const positiveNumber = (option: string, below?: number): OptionParser<number> =>
  numberOf(option, false, { above: 0, ...(below !== undefined && { below }) })

/** A whole number, negative ones too. */
export const integer = (option: string): OptionParser<number> => numberOf(option, true, {})

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
export const inputSize: OptionParser<[number, number, number]> = text => {
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

/**
 * Patterns over names, between commas.
 * @param entries what they are: `patterns over names of layers`
 */
export const patternList =
  (option: string, entries: string): OptionParser<string[]> =>
  text => {
    const patterns = commaList(text)
    if (patterns.includes('')) {
      throw new UsageError(`${option} takes ${entries}, separated by commas: 'conv1,layer1.*', not '${text}'`)
    }
    return patterns
  }

const precisionNames = [...precisions, 'float64'] as const
export type PrecisionName = (typeof precisionNames)[number]

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
    const known = precisionNames.find(name => name === text)
    if (known === undefined || (available as readonly PrecisionName[]).includes(known)) {
      return oneOf('--precision', available)(text)
    }
    throw new UsageError(`--precision ${text} is not available here; this command computes in ${available.join(', ')}`)
  }
