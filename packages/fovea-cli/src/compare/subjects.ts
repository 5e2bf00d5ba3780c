/** @file What `fovea compare` compares: models by name and saved ones, each with the images that it takes. */
import { statSync } from 'node:fs'
import { createModel, type DataSplits, type Dataset, type Evaluation, FoveaError, type Model } from 'fovea'
import { readModel } from '../checkpoint-file.js'
import type { FoundData, LoadedData } from '../data/index.js'
import { InterruptError } from '../interrupt.js'
import { type MeasuredImages, type MeasuredModel, measuredImages } from '../measured-images.js'
import { checkFound, findData, imagesFor, limitedTo, loading, type OpenDataOptions } from '../open-data.js'
import type { Output } from '../output.js'
import { fittingModel, startingModel } from '../starting-model.js'
import { readTrainedImages } from '../trained-images.js'
import { modelName, UsageError } from '../usage.js'

/** A model and its images. */
export interface Subject {
  /** As the command line has it: `resnet20`, `runs/photos`. */
  readonly name: string
  /** Whether it comes from a file: it is measured as it is, and not trained. */
  readonly saved: boolean
  readonly model: Model
  /** What the model was made from, where that is known. Default: what its name tells. */
  readonly original?: Model
  /** Of one that is trained: what it is trained on, and its `images` as test. */
  readonly training?: DataSplits
  /** To be measured on. */
  readonly images?: Dataset
  /** On them, where it is known already. */
  readonly evaluation?: Evaluation
}

/** All subjects, and which images those with `data` are measured on. */
export interface OpenSubjects {
  readonly subjects: readonly Subject[]
  readonly measured?: MeasuredImages
}

export interface SubjectOptions {
  readonly data?: string
  /** Of models by name. Default: they are not trained, and need no images. */
  readonly epochs?: number
  readonly size?: number
  readonly limit?: number
  readonly skipBad?: boolean
  readonly seed: number
}

/**
 * Finds all models, then loads the images that they need, once for each size.
 * @throws UsageError for what is neither a model's name nor a file, and for epochs of saved models; FoveaError, naming the subject, where its images do not
 *   fit; what reading a model and loading images throws
 */
export async function openSubjects(
  names: readonly string[],
  options: SubjectOptions,
  output: Output,
): Promise<OpenSubjects> {
  const found: FoundSubject[] = []
  for (const name of names) found.push(await findSubject(name, options))
  if (options.epochs !== undefined && found.every(({ saved }) => saved)) {
    throw new UsageError('--epochs is for models by name: saved ones are measured as they are')
  }
  const loaded = new Map<string, LoadedData>()
  const subjects: (Subject & { readonly data?: LoadedData })[] = []
  const measuring: MeasuredModel[] = []
  for (const { data, ...subject } of found) {
    if (data === undefined || !(subject.saved || options.epochs)) {
      subjects.push(subject)
      continue
    }
    const size = JSON.stringify([data.imageShape, subject.saved && subject.model.preprocessing.resizing])
    const images = loaded.get(size) ?? limitedTo(options.limit, await loading(output, load => data.open(load)))
    loaded.set(size, images)
    const { name, saved } = subject
    const model = saved ? subject.model : startingModel({ model: modelName(name), seed: options.seed }, images)
    const trained = saved ? readTrainedImages(name) : { fingerprint: images.train.fingerprint }
    measuring.push({ name, data: images, trained })
    subjects.push({ name, saved, model, data: images })
  }
  if (measuring.length === 0) return { subjects }
  const measured = measuredImages(measuring)
  const tests = [...measured.images]
  return {
    measured,
    subjects: subjects.map(({ data, ...subject }) => {
      if (data === undefined) return subject
      const images = tests.shift() as Dataset
      return { ...subject, images, ...(!subject.saved && { training: { ...data, test: images } }) }
    }),
  }
}

interface FoundSubject extends Subject {
  readonly data?: FoundData
}

/** A saved model has a size, and images come in it; one by name takes the images' size and classes. */
async function findSubject(
  name: string,
  { data, size, skipBad = false, seed, epochs }: SubjectOptions,
): Promise<FoundSubject> {
  const purpose = epochs === undefined ? 'measure' : 'train'
  const asked: OpenDataOptions = { purpose, skipBad, ...(size === undefined ? {} : { size }) }
  if (statSync(name, { throwIfNoEntry: false }) === undefined) {
    const model = registryName(name)
    if (data === undefined) return { name, saved: false, model: createModel(model, { seed }) }
    const maxSize = createModel(model).preprocessing.size[0]
    const found = await findData(data, size === undefined ? { ...asked, maxSize } : asked)
    return ofSubject(name, () => {
      // Images to measure others by may be of a single class: then this model, which is not measured, has its own.
      const labels = found.classes.length > 1 && { labels: found.classes }
      const fitting = fittingModel(model, { input: found.imageShape, ...labels, seed }, found.sizeFrom)
      return { name, saved: false, model: fitting, data: found }
    })
  }
  const model = readModel(name)
  if (data === undefined) return { name, saved: true, model }
  const found = await findData(data, { ...asked, ...imagesFor(model) })
  return ofSubject(name, () => {
    checkFound(model, found)
    return { name, saved: true, model, data: found }
  })
}

/** @throws UsageError */
function registryName(name: string): string {
  try {
    return modelName(name)
  } catch (error) {
    throw new UsageError(`there is no file or folder '${name}', nor a model: ${(error as Error).message}`)
  }
}

/** What goes wrong with a subject says with which. */
function ofSubject<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw aboutSubject(name, error)
  }
}

/** The error with the subject before it, if it is a user's to mend; any other, and an interruption, as it is. */
export function aboutSubject(name: string, error: unknown): unknown {
  const mendable = error instanceof FoveaError && !(error instanceof UsageError) && !(error instanceof InterruptError)
  return mendable ? new FoveaError(`${name}: ${error.message}`, { cause: error }) : error
}
