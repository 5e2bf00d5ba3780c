/** @file What a measurement was asked for on the command line: a mistake ends it with a line that says what there is. */
import { parseArgs } from 'node:util'

/**
 * Options and positional arguments, as node:util's parseArgs gives them.
 * @param {import('node:util').ParseArgsConfig} config
 */
export function argumentsOf(config) {
  try {
    return parseArgs(config)
  } catch (error) {
    if (!String(error.code).startsWith('ERR_PARSE_ARGS')) throw error
    const names = Object.keys(config.options).map(name => `--${name}`)
    return fail(`${error.message.split(/\.\s/)[0]}; there are ${names.join(', ')}`)
  }
}

/** A whole number of at least `from`. */
export function wholeNumber(option, text, from = 1) {
  const number = Number(text)
  if (text.trim() === '' || !Number.isInteger(number) || number < from) {
    fail(`--${option} takes a whole number of at least ${from}, not '${text}'`)
  }
  return number
}

/** A number above 0. */
export function positiveNumber(option, text) {
  const number = Number(text)
  if (!Number.isFinite(number) || number <= 0) fail(`--${option} takes a number above 0, not '${text}'`)
  return number
}

/** The words of a list, separated by commas, each of which is known. */
export function wordsOf(option, text, known) {
  const words = text.split(',')
  const misspelt = words.find(word => !known.includes(word))
  if (misspelt !== undefined) fail(`--${option} names '${misspelt}'; there are ${[...new Set(known)].join(', ')}`)
  return words
}

/** Ends the program. */
export function fail(message) {
  console.error(`bench: ${message}`)
  process.exit(2)
}
