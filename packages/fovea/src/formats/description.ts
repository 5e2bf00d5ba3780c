/** @file What a saved model says of its images and classes, as JSON from outside. */
import { FormatError } from '../errors.js'
import { interpolations, type Preprocessing, type Resizing } from '../models/model.js'
import { asArray, asNumber, asRecord, asString, asWhole } from './json.js'

/** @throws FormatError for what does not say how an image becomes an input */
export function preprocessingOf(json: unknown): Preprocessing {
  const { size, mean, deviation, resizing } = asRecord(json, 'preprocessing')
  const [height, width, channels] = asArray(size, 'size', 3).map(side => asWhole(side, 'size', 1))
  if (channels === undefined) throw new FormatError('size must be height, width and channels')
  const perChannel = (values: unknown, what: string): number[] => {
    const numbers = asArray(values, what, channels).map(value => asNumber(value, what))
    if (numbers.length !== channels) throw new FormatError(`${what} must have ${channels} numbers`)
    return numbers
  }
  const deviations = perChannel(deviation, 'deviation')
  if (deviations.some(value => value <= 0)) throw new FormatError('deviation must be above 0')
  return {
    ...{ size: [height, width, channels], mean: perChannel(mean, 'mean'), deviation: deviations },
    ...(resizing !== undefined && { resizing: resizingOf(resizing) }),
  }
}

function resizingOf(json: unknown): Resizing {
  const { crop: part, interpolation: filter } = asRecord(json, 'resizing')
  const [crop, name] = [asNumber(part, 'crop'), asString(filter, 'interpolation')]
  const interpolation = interpolations.find(known => known === name)
  if (crop <= 0 || crop > 1) throw new FormatError('crop must be above 0 and at most 1')
  if (interpolation === undefined) throw new FormatError(`interpolation must be ${interpolations.join(', ')}`)
  return { crop, interpolation }
}

/** @throws FormatError unless there is a name for each of `count` logits */
export function labelsOf(json: unknown, count: number): string[] {
  const labels = asArray(json, 'labels', 100_000).map((label, i) => asString(label, `labels[${i}]`))
  if (labels.length !== count) throw new FormatError(`it has ${labels.length} labels for ${count} logits`)
  return labels
}
