/** @file `results.json`: what an evaluation came to, in full, for programs. */
import type { Evaluation } from 'fovea'

/** JSON in which each row of a list (a class, a line of the confusion matrix, a mistake) has a line of its own. */
export function formatResults(
  { accuracy, loss, top5, images, seconds, mistakes, predictions: _, ...details }: Evaluation,
  labels: readonly string[],
  augmentedAccuracy?: number,
): string {
  const named = mistakes.map(mistake => ({
    ...mistake,
    label: labels[mistake.label],
    predicted: labels[mistake.predicted],
  }))
  const augmented = augmentedAccuracy === undefined ? {} : { augmentedAccuracy }
  const numbers = { accuracy, ...augmented, loss, top5, images, seconds }
  const entries = Object.entries({ ...numbers, ...details, mistakes: named }).map(([name, value]) => {
    const rows = Array.isArray(value) && value.map(row => `    ${JSON.stringify(row)}`)
    return `  "${name}": ${rows && rows.length > 0 ? `[\n${rows.join(',\n')}\n  ]` : JSON.stringify(value)}`
  })
  return `{\n${entries.join(',\n')}\n}\n`
}
