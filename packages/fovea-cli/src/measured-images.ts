/**
 * @file Which images of a data set saved models are measured on: those of its test; where it has none of its own, all that
 * no model was trained on.
 */
import { concat, type Dataset, FoveaError, subset } from 'fovea'
import { sayLeftOut, sayRepeated } from './about-data.js'
import { imageHashes } from './data/image-hash.js'
import type { DecodedFacts, LoadedData } from './data/index.js'
import { dataName } from './open-data.js'
import { type Output, withCommas } from './output.js'
import type { TrainedImages } from './trained-images.js'

/**
 * `test`: the images that the data set has for it. `held-out`: those that Fovea keeps from training on this very data set.
 * `all`: of a data set without test images, on which no model was trained as it is.
 */
export type MeasuredPart = 'test' | 'held-out' | 'all'

export interface MeasuredImages {
  readonly part: MeasuredPart
  /** Whether some model was trained on this very data set. */
  readonly isOwn: boolean
  /** How many the part has. */
  readonly of: number
  /** On how many of them some model was trained, as far as is known. */
  readonly trainedOn: number
  /** The models of which nothing tells on which images they were trained. */
  readonly unknown: readonly string[]
  /** For each model, the images that it is measured on: those that none was trained on; if there are none, the whole part. */
  readonly images: readonly Dataset[]
  /** Where the test images of a folder lie in it. */
  readonly folder?: string
  readonly facts?: DecodedFacts
}

/** A model to be measured, and a data set in the size that it takes. */
export interface MeasuredModel {
  readonly name: string
  readonly data: LoadedData
  readonly trained: TrainedImages
}

/**
 * Chooses the images.
 * @param models that are measured on the same images, each in its size; at least one
 * @throws FoveaError if there is no image to measure
 */
export function measuredImages(models: readonly MeasuredModel[]): MeasuredImages {
  const [{ data }] = models
  const source = data.facts?.sources.test
  const own = models.some(isOwn)
  const part = source?.heldOut === undefined ? 'test' : own ? 'held-out' : 'all'
  const parts = models.map(({ data: { train, test } }) =>
    part === 'all' ? concat(train, test, dataName(train)) : test,
  )
  const of = parts[0].length
  if (of === 0) throw new FoveaError(`'${dataName(data.train)}' has no ${nameOf(part, source?.folder, 0)} to measure`)
  const known = new Set(models.flatMap((model, i) => knownImages(model, parts[i])))
  const images = Array.from({ length: of }, (_, i) => i).filter(i => !known.has(i))
  return {
    ...{ part, isOwn: own, of, trainedOn: known.size },
    unknown: models.filter(model => !isOwn(model) && !model.trained.hashes).map(({ name }) => name),
    images: images.length === of || images.length === 0 ? parts : parts.map(whole => subset(whole, images)),
    ...(source && { folder: source.folder }),
    ...(data.facts && { facts: data.facts }),
  }
}

/** Whether a model was trained on this very data set, or a part of it. */
const isOwn = ({ data, trained: { fingerprint } }: MeasuredModel): boolean =>
  fingerprint !== undefined && wholeOf(fingerprint) === wholeOf(data.train.fingerprint)

/** The fingerprint of the data set of which this is a part, or that itself (see `subset`). */
const wholeOf = (fingerprint: string): string => fingerprint.split('-')[0]

/** The indices of the images that a model was trained on. */
function knownImages(model: MeasuredModel, images: Dataset): number[] {
  const { hashes } = model.trained
  if (hashes === undefined) return []
  // What it holds out of its own data counts, as it did in the run, though the same image may be there twice: that was said.
  const sets = isOwn(model) ? [hashes.before] : [hashes.own, hashes.before]
  if (sets.every(({ size }) => size === 0)) return []
  return imageHashes(images).flatMap((hash, i) => (sets.some(set => set.has(hash)) ? [i] : []))
}

/** What people call so many images of a part: `test images`, `image of val`. */
function nameOf(part: MeasuredPart, folder: string | undefined, count: number): string {
  const images = count === 1 ? 'image' : 'images'
  if (part !== 'test') return part === 'all' ? images : `held-out ${images}`
  return folder === undefined || folder === 'test' ? `test ${images}` : `${images} of ${folder}`
}

/** What people call the images that are measured. */
export const measuredName = ({ part, folder, images: [{ length }] }: MeasuredImages): string =>
  nameOf(part, folder, length)

/** As `--json` has it: `trainedOn` is null where nothing tells of some model. */
export const measuredEntry = ({ part, of, trainedOn, unknown, facts }: MeasuredImages) => ({
  ...{ part, of, trainedOn: unknown.length > 0 ? null : trainedOn },
  ...(facts && { unused: facts.unused, leftOut: facts.leftOut, joined: facts.joined }),
})

/** Says what was left out of a folder, and what casts doubt on a measurement. */
export function sayDoubts({ part, isOwn, of, trainedOn, unknown, facts }: MeasuredImages, output: Output): void {
  if (facts) sayLeftOut(facts, output)
  if (facts && isOwn) sayRepeated(facts, output)
  const better = 'a model recognizes the images that it knows better than new ones'
  if (trainedOn === of) output.warn(`all of these images were trained on, so they tell little: ${better}`)
  if (part !== 'all' || unknown.length === 0) return
  const names = unknown.map(name => `'${name}'`).join(', ')
  output.warn(`nothing beside ${names} tells which images it was trained on: ${better}`)
}

/**
 * `all 15 images in new`, `the 24 held-out images in photos`, `11 new images in more (4 others were trained on)`.
 * @param data as the user named it
 */
export function describeMeasured(measured: MeasuredImages, data: string): string {
  const { part, of, trainedOn, images } = measured
  const [{ length }] = images
  const name = measuredName(measured)
  if (length < of) {
    const others = `${withCommas(trainedOn)} other${trainedOn === 1 ? ' was' : 's were'} trained on`
    return `${withCommas(length)} new ${name} in ${data} (${others})`
  }
  return `${part === 'all' && length > 1 ? 'all' : 'the'} ${withCommas(length)} ${name} in ${data}`
}
