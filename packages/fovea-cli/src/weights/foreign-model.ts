/**
 * @file A model of the registry with the weights of a file that says nothing of its model, and what had to be found out about
 * it: from the command line, from the configuration beside the file, or from the architecture's data set.
 */
import { basename, dirname, join } from 'node:path'
import {
  createModel,
  FoveaError,
  formatShape,
  type ImportedModel,
  importWeights,
  type Model,
  type Normalization,
  normalizations,
  type Resizing,
  type Shape,
  type WeightSource,
} from 'fovea'
import { resizedSide } from 'fovea/engine'
import type { Output } from '../output.js'
import { configFile, isFromTensorflow, modelOf, readConfig, type WeightsConfig } from './config.js'
import { shownFile } from './hub-cache.js'
import { normalizationOf } from './options.js'

/** What a command line says of weights. */
export interface ForeignOptions {
  /** The registry's name. */
  readonly model?: string | undefined
  readonly normalize?: string | undefined
  /** Of images. Default: what the weights want. */
  readonly input?: readonly [number, number, number]
  /** Class names. */
  readonly labels?: readonly string[]
  /** Whether weights without their classifier get a new one. */
  readonly classifier?: 'new'
}

/** What is known of weights before they are read. */
export interface WantedModel {
  /** The registry's name. */
  readonly name: string
  /** [height, width, channels] */
  readonly input: readonly [number, number, number]
  readonly config: WeightsConfig
}

/**
 * Which model weights are for, and in what size they want images: the configuration's, else the file's own, else the model's.
 * @throws FoveaError where neither the command line nor the configuration says which, or the model is none of ours
 */
export function wantedModel(
  { name: file, input }: WeightSource,
  { model }: Pick<ForeignOptions, 'model'> = {},
): WantedModel {
  const config = readConfig(dirname(file))
  const { architecture } = config
  const name = model ?? (architecture === undefined ? undefined : modelOf(architecture))
  const about = `'${join(dirname(file), configFile)}' says that '${basename(file)}' is a ${architecture}`
  if (name === undefined) {
    throw new FoveaError(
      architecture === undefined
        ? `'${file}' holds weights without a description of their model: say which it is (import, eval, predict: --model; train: before --from)`
        : `${about}, which is no model here`,
    )
  }
  if (architecture !== undefined && modelOf(architecture) !== name) throw new FoveaError(`${about}, not a ${name}`)
  const [height, width, channels] = input ?? createModel(name).preprocessing.size
  const size = config.size ?? [height, width]
  return { name, input: [...size, config.normalization?.mean.length ?? channels] as [number, number, number], config }
}

/**
 * Reads the weights, and says in a line what was taken.
 * @param source its name is the file's path
 * @throws as importWeights and wantedModel
 */
export function readForeign(
  source: WeightSource,
  options: ForeignOptions,
  output: Pick<Output, 'say' | 'warn'>,
): Model {
  const { name: file } = source
  const { name, input: wanted, config } = wantedModel(source, options)
  const input = options.input ?? wanted
  const given = givenNormalization(options, config)
  const imported = importWeights(source, name, {
    input,
    ...(given && { normalization: given[0] }),
    ...(options.labels && { labels: options.labels }),
    ...(options.classifier && { classifier: options.classifier }),
    ...(isFromTensorflow(config.architecture) && { padding: 'same' }),
  })
  const { format, names, notes } = imported
  const [normalization, why] = given ?? foundNormalization(imported)
  const model = { ...imported.model, preprocessing: { ...imported.model.preprocessing, ...normalization } }
  const shown = shownFile(file)
  for (const note of notes) output.warn(`${shown}: ${note}`)
  for (const note of config.notApplied) output.warn(`${shown}: ${note}, as ${config.files.join(', ')} has it`)
  const { labels, from } = labelsFor(model, options, config)
  const { size, mean, deviation } = model.preprocessing
  const { resizing } = config
  output.say(
    `${shown}: ${format} with ${namings[names]} names; ${model.name}, ${labels.length} classes (${from}), ` +
      `images of ${formatShape(size)}${aboutResizing(size, resizing)}, mean ${mean.join(', ')}, deviation ${deviation.join(', ')} (${why})`,
  )
  return { ...model, labels, preprocessing: { ...model.preprocessing, ...(resizing && { resizing }) } }
}

const aboutResizing = ([height, width]: Shape, resizing: Resizing | undefined): string =>
  resizing === undefined
    ? ''
    : ` (the center of ${formatShape([height, width].map(side => resizedSide(side, resizing)))}, ${resizing.interpolation})`

/** Whose names they are, as a line has it. */
const namings = {
  fovea: "Fovea's",
  torchvision: "torchvision's",
  timm: "timm's",
  akamaster: "akamaster's",
  keras: "Keras's",
} as const satisfies Record<ReturnType<typeof importWeights>['names'], string>

type Found = readonly [Normalization, why: string]

/** What the command line says, or the configuration. */
function givenNormalization({ normalize }: ForeignOptions, { normalization, files }: WeightsConfig): Found | undefined {
  if (normalize !== undefined) return [normalizationOf(normalize), '--normalize']
  return normalization && [normalization, files.join(', ')]
}

/** What the file says or its library does; else that of ImageNet's models, whatever the size of images. */
function foundNormalization({ model: { name, preprocessing }, normalization, names }: ImportedModel): Found {
  const { mean, deviation, size } = preprocessing
  if (normalization === 'file') return [{ mean, deviation }, 'as the file says']
  if (normalization === 'library')
    return [{ mean, deviation }, `as ${namings[names]} networks of this name take images: see --normalize`]
  if (size[2] !== 3) return [{ mean, deviation }, 'nothing says which: see --normalize']
  const own = createModel(name).preprocessing
  const [known] = Object.entries(normalizations).find(([, { mean }]) => mean.join() === own.mean.join()) ?? ['?']
  return [{ mean: own.mean, deviation: own.deviation }, `${known}'s, as nothing says which: see --normalize`]
}

function labelsFor(model: Model, { labels }: ForeignOptions, { labels: found, files }: WeightsConfig) {
  if (labels !== undefined) return { labels, from: 'as given' }
  if (found === undefined) return { labels: model.labels, from: 'without names' }
  if (found.length === model.labels.length) return { labels: found, from: `named in ${files.join(', ')}` }
  return { labels: model.labels, from: `without names: those in ${files.join(', ')} are ${found.length}` }
}
