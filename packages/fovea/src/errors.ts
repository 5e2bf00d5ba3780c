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
 * The names nearest to a misspelt one, best first: by edit distance, and those of which it is a part.
 * @returns at most three names, none farther than half the length of `name`
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
  const far = (candidate: string): number =>
    name.length > 2 && candidate.includes(name) ? 1 : distance(name.toLowerCase(), candidate.toLowerCase())
  return known
    .map(candidate => ({ candidate, far: far(candidate) }))
    .filter(({ far }) => far <= Math.max(2, name.length / 2))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}

/**
 * A misspelt option would be ignored without a word.
 * @throws InvalidArgumentError naming the first option of `what` that there is not
 */
export function checkOptionNames(what: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find(name => !known.includes(name))
  if (unknown !== undefined) throw unknownName(`option of ${what}`, unknown, known)
}

/** The standard error for an unknown name: says what it is, offers the nearest, lists all that exist. */
export function unknownName(kind: string, name: string, known: readonly string[]): InvalidArgumentError {
  const near = nearestNames(name, known)
  const hint = near.length > 0 ? ` Did you mean ${near.join(', ')}?` : ''
  return new InvalidArgumentError(`unknown ${kind} '${name}'.${hint} Known: ${known.join(', ')}`)
}
