/**
 * @file The options by which commands take settings of a run: what each is, which values it takes and what is said of others
 * stand in the library's table.
 */
import { Option } from 'commander'
import { precisions, trainSettings } from 'fovea'
import type { Kind } from 'fovea/engine'
import { optionOf } from './option-names.js'
import { numberOf, type OptionParser, oneOf, patternList, precision } from './usage.js'

/**
 * The option for a setting, named after it.
 * @param fallback what holds where it is not given, in words
 */
export function settingOption(name: keyof typeof trainSettings, fallback?: string): Option {
  const { about, kind } = trainSettings[name]
  const option = optionOf(name)
  const { placeholder, values, parse } = name === 'precision' ? precisionValues : valuesOf(option, kind)
  const description = `${values}${about}${fallback === undefined ? '' : ` (default: ${fallback})`}`
  return new Option(`${option} <${placeholder}>`, description).argParser(parse)
}

interface Values {
  readonly placeholder: string
  /** In front of the description. */
  readonly values: string
  readonly parse: OptionParser<unknown>
}

const namesOf = (names: readonly string[]): Pick<Values, 'placeholder' | 'values'> => ({
  placeholder: 'name',
  values: `${names.join(', ')}: `,
})

function valuesOf(option: string, kind: Kind): Values {
  switch (kind.type) {
    case 'number':
      return { placeholder: kind.whole ? 'n' : 'x', values: '', parse: numberOf(option, kind.whole, kind.range) }
    case 'choice':
      return { ...namesOf(kind.names), parse: oneOf(option, kind.names) }
    case 'list':
      return { placeholder: 'patterns', values: '', parse: patternList(option, kind.entries) }
    default:
      throw new Error(`a setting of the kind '${kind.type}' has no option`)
  }
}

/** Of float64 is said that it is not available here. */
const precisionValues: Values = { ...namesOf(precisions), parse: precision(precisions) }
