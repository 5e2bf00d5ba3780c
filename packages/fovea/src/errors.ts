/** @file The kinds of error a user can meet. Each message names the thing at fault, what was expected and what to do. */

/** Any error that is the user's to mend: shown as one line, without a stack. */
export class FoveaError extends Error {
  override name = 'FoveaError'
}

/** A tensor does not fit where it is used; the message names the node and every shape involved. */
export class ShapeError extends FoveaError {
  override name = 'ShapeError'
}

/** An option, name or argument that is not allowed. */
export class InvalidArgumentError extends FoveaError {
  override name = 'InvalidArgumentError'
}

/** A setting, by its path in the options, with a value that it cannot have. */
export class SettingError extends InvalidArgumentError {
  override name = 'SettingError'

  /**
   * @param setting its path: `optimizer.momentum`
   * @param problem the rest of the message: what was expected, what was given, what to do
   */
  constructor(
    readonly setting: string,
    readonly problem: string,
  ) {
    super(`${setting}: ${problem}`)
  }
}

/** A file (or bytes from outside) that is not what it claims to be. */
export class FormatError extends FoveaError {
  override name = 'FormatError'
}

/** Training cannot go on: the loss is no longer a finite number. */
export class DivergenceError extends FoveaError {
  override name = 'DivergenceError'
}

/** An engine cannot run a graph: an operator, a type or the memory is missing. */
export class EngineError extends FoveaError {
  override name = 'EngineError'
}

/**
 * The names nearest to a misspelt one: by edit distance, and those of which it is a part.
 * @returns at most three names, all equally near, none farther than half the length of `name`
 */
export function nearestNames(name: string, known: readonly string[]): string[] {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, j) => j)
    for (let i = 1; i <= a.length; i++) {
      const next = [i]
      for (let j = 1; j <= b.length; j++) {
        next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
      }
      row = next
    }
    return row[b.length]
  }
  const far = (candidate: string): number => {
    if (name.length > 2 && candidate.includes(name)) return 1
    const edits = distance(name.toLowerCase(), candidate.toLowerCase())
    // Short names with no letter in common are not near.
    return edits < Math.max(name.length, candidate.length) ? edits : Number.POSITIVE_INFINITY
  }
  const distances = known.map(far)
  const least = Math.min(...distances, Math.max(2, name.length / 2))
  return known.filter((_, i) => distances[i] === least).slice(0, 3)
}

/** What is said of a name that there is not: the nearest of those that there are, or all where none is near. */
export function nearestHint(name: string, known: readonly string[]): string {
  const near = nearestNames(name, known).map(candidate => `'${candidate}'`)
  if (near.length > 0) return `; did you mean ${oneOf(near)}?`
  return known.length > 0 ? `; known: ${known.join(', ')}` : '; there are none here'
}

/** `a, b or c`. */
export const oneOf = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words[words.length - 1]}`

/** The standard error for an unknown name, with the nearest that there are. */
export const unknownName = (kind: string, name: string, known: readonly string[]): InvalidArgumentError =>
  new InvalidArgumentError(`unknown ${kind} '${name}'${nearestHint(name, known)}`)
