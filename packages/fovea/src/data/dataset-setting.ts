/** @file Data sets and what belongs to them as settings: anything may be given, a data set is taken. */
import { SettingError } from '../errors.js'
import { describeValue, isPromise, typeOf } from '../settings/describe.js'
import { custom, number, tuple, whole } from '../settings/kinds.js'
import { type Setting, unexpected, within } from '../settings/setting.js'
import { labelIndices } from './class-labels.js'
import type { Dataset, Normalization } from './dataset.js'

const expected = 'a data set, as arrayDataset({ images, labels, imageShape, classes }) makes one'

/** Whether it can be asked for images and labels. */
export const isDataset = (value: unknown): value is Dataset =>
  typeof value === 'object' && value !== null && 'read' in value && 'classes' in value && 'labels' in value

/** Of labelled images. */
export const dataset = (about: string): Setting<Dataset> =>
  custom(about, expected, (value, path) => {
    if (!isDataset(value)) throw unexpected(path, expected, value, remedyFor(value, path))
    checkParts(value, path)
    return value
  })

/** What a loader gives is often both parts, or not there yet. */
function remedyFor(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null || isPromise(value)) return undefined
  const part = ['train', 'test'].find(name => isDataset((value as Record<string, unknown>)[name]))
  return part && `${within(path, part)} is one`
}

/** What is told of a data set must be true of it, whoever made it. */
function checkParts({ name, length, imageShape, classes, labels, read }: Dataset, path: string): void {
  if (typeof name !== 'string') throw unexpected(within(path, 'name'), 'a text', name)
  imageSize('').parse(imageShape, within(path, 'imageShape'))
  if (!Array.isArray(classes)) throw unexpected(within(path, 'classes'), 'a list of names', classes)
  if (typeof read !== 'function') throw unexpected(within(path, 'read'), 'a function', read)
  if (typeOf(labels) !== 'Int32Array' || labels.length !== length) {
    throw unexpected(within(path, 'labels'), `an Int32Array of ${describeValue(length)}, one for each image`, labels)
  }
  labelIndices(labels, classes, within(path, 'labels'))
}

/** @throws SettingError for a data set without images: nothing can be learned or measured of it */
export function checkNotEmpty({ name, length }: Dataset, path: string): void {
  if (length === 0) throw new SettingError(path, `data set '${name}' has no images`)
}

/** @throws SettingError naming the first index at which there is no image */
export function checkIndices(indices: ArrayLike<unknown>, { name, length }: Dataset): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]
    if (Number.isInteger(index) && (index as number) >= 0 && (index as number) < length) continue
    throw new SettingError(
      within('indices', i),
      `data set '${name}' has ${length} images, none at ${describeValue(index)}`,
    )
  }
}

/** [height, width, channels] of an image. */
export const imageSize = (about: string) => tuple(about, ['height', 'width', 'channels'], whole('pixels', { from: 1 }))

const each = { mean: number('of a channel'), deviation: number('of a channel', { above: 0 }) }

/** Means and deviations, a number for each channel; of an object that says more (a model's preprocessing), these two. */
export function normalization(about: string): Setting<Normalization> {
  const ofChannels = 'a list with a number for each channel'
  const expected = `{ mean, deviation }, each ${ofChannels}`
  return custom(about, expected, (value, path) => {
    if (typeof value !== 'object' || value === null) throw unexpected(path, expected, value)
    const read = (part: keyof typeof each): readonly number[] => {
      const at = within(path, part)
      const values = (value as { readonly [key: string]: unknown })[part]
      if (!Array.isArray(values)) throw unexpected(at, ofChannels, values)
      return values.map((entry, i) => each[part].parse(entry, within(at, i)))
    }
    return { mean: read('mean'), deviation: read('deviation') }
  })
}

/** @throws SettingError unless there is a number for each channel of an image */
export function checkChannels({ mean, deviation }: Normalization, channels: number, path: string): void {
  for (const [part, values] of Object.entries({ mean, deviation })) {
    if (values.length === channels) continue
    const each = `${channels} channel${channels === 1 ? '' : 's'}`
    throw new SettingError(within(path, part), `expected a number for each of ${each}, got ${values.length}`)
  }
}
