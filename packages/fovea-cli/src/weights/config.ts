/**
 * @file What lies beside weights and says what they want: timm's `config.json`, or `config.json` and `preprocessor_config.json`
 * of transformers. Anything else of these names is left alone.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { FormatError, modelNames, type Normalization, type Resizing } from 'fovea'
import { z } from 'zod'
import { readWhole } from '../files.js'
import { type ResizingConfig, resizingOf } from './resizing.js'

/** What was found, and in which file. */
export interface WeightsConfig {
  /** As the library calls it: `resnet50`, `tf_efficientnet_b0`. */
  readonly architecture?: string
  /** [height, width] */
  readonly size?: readonly [number, number]
  readonly normalization?: Normalization
  /** Where it is not as Fovea does it unasked. */
  readonly resizing?: Resizing
  /** Sentences: what of it is not done here. */
  readonly notApplied: readonly string[]
  readonly labels?: readonly string[]
  /** The files that said so. */
  readonly files: readonly string[]
}

export const configFile = 'config.json'
export const preprocessorFile = 'preprocessor_config.json'

const side = z.int().min(1).max(10_000)
const perChannel = z.array(z.number()).min(1).max(4)
const deviations = z.array(z.number().positive()).min(1).max(4)
const fraction = z.number().positive().max(1)
const names = z.array(z.string().max(1000)).max(100_000)

/** timm writes the second part under `pretrained_cfg`, and wrote it beside the first. */
const timmSchema = z.object({
  architecture: z.string().max(1000).optional(),
  input_size: z.tuple([z.int(), side, side]).optional(),
  test_input_size: z.tuple([z.int(), side, side]).nullish(),
  mean: perChannel.optional(),
  std: deviations.optional(),
  label_names: names.optional(),
  crop_pct: fraction.nullish(),
  crop_mode: z.string().max(100).nullish(),
  interpolation: z.string().max(100).nullish(),
})
const configSchema = timmSchema.extend({
  pretrained_cfg: timmSchema.optional(),
  label_names: names.optional(),
  id2label: z.record(z.string(), z.string().max(1000)).optional(),
})

const sides = z.union([side, z.object({ height: side, width: side }), z.object({ shortest_edge: side })])
const preprocessorSchema = z.object({
  size: sides.optional(),
  crop_size: sides.optional(),
  do_center_crop: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  crop_pct: fraction.nullish(),
  resample: z.int().nullish(),
  image_mean: perChannel.optional(),
  image_std: deviations.optional(),
})

/** @throws FormatError naming the file, if it is there and says what cannot be */
export function readConfig(folder: string): WeightsConfig {
  const config = read(join(folder, configFile), configSchema)
  const preprocessor = read(join(folder, preprocessorFile), preprocessorSchema)
  const timm = { ...config, ...config?.pretrained_cfg }
  const labels = timm.label_names ?? labelsOf(config?.id2label)
  const { do_center_crop: crops, do_normalize: normalizes, size: resized, crop_size: cropped } = preprocessor ?? {}
  const ofTimm = timm.crop_pct ?? timm.crop_mode ?? timm.interpolation
  const { resizing, notApplied } = resizingOf(ofTimm == null ? resizingIn(preprocessor) : resizingInTimm(timm))
  const size = timm.input_size?.slice(1) ?? sidesOf(crops === false ? resized : (cropped ?? resized))
  const [mean, deviation] = [timm.mean ?? preprocessor?.image_mean, timm.std ?? preprocessor?.image_std]
  const normalization = normalizes === false ? none(mean) : mean && deviation && { mean, deviation }
  return {
    ...(timm.architecture !== undefined && { architecture: timm.architecture }),
    ...(size && { size: size as [number, number] }),
    ...(normalization && { normalization }),
    ...(labels && { labels }),
    ...(resizing && { resizing }),
    notApplied: [...notApplied, ...testSizeIn(timm, size)],
    files: [...(config ? [configFile] : []), ...(preprocessor ? [preprocessorFile] : [])],
  }
}

/** What timm's names of networks begin with that came from TensorFlow. */
const FROM_TENSORFLOW = 'tf_'

/** Whether an architecture is padded as in TensorFlow. */
export const isFromTensorflow = (architecture = ''): boolean => architecture.startsWith(FROM_TENSORFLOW)

/** The registry's name of an architecture; undefined if it has none. */
export function modelOf(architecture: string): string | undefined {
  const plain = isFromTensorflow(architecture) ? architecture.slice(FROM_TENSORFLOW.length) : architecture
  const name = plain.replaceAll('_', '-')
  return modelNames.find(known => known === name)
}

/** timm publishes the accuracy of some weights on larger images than they were trained with. */
function testSizeIn(
  { test_input_size: tested }: z.infer<typeof timmSchema>,
  size: readonly number[] | undefined,
): string[] {
  if (tested == null || size === undefined || tested.slice(1).join() === size.join()) return []
  const [ours, theirs] = [size, tested.slice(1)].map(sides => sides.join('×'))
  return [`images are of ${ours}; its published accuracy is of ${theirs}`]
}

const none = (mean: readonly number[] = [0, 0, 0]): Normalization => ({
  mean: mean.map(() => 0),
  deviation: mean.map(() => 1),
})

const resizingInTimm = ({ crop_pct, crop_mode, interpolation }: z.infer<typeof timmSchema>): ResizingConfig => ({
  crop: crop_pct ?? undefined,
  mode: crop_mode ?? undefined,
  interpolation: interpolation ?? undefined,
})

/** A picture is fitted to height and width, where the shorter side is not what is given. */
function resizingIn(preprocessor: z.infer<typeof preprocessorSchema> = {}): ResizingConfig {
  const { size, crop_size, do_center_crop, crop_pct, resample } = preprocessor
  const [whole, part] = [sidesOf(size), do_center_crop === false ? undefined : sidesOf(crop_size)]
  const isPart = whole !== undefined && part !== undefined
  const mode = typeof size === 'object' && 'height' in size ? 'squash' : undefined
  return {
    crop: crop_pct ?? (isPart ? Math.min(1, part[0] / whole[0]) : undefined),
    mode: isPart && part[0] > whole[0] ? 'pad' : mode,
    interpolation: resample ?? undefined,
  }
}

function sidesOf(size: z.infer<typeof sides> | undefined): readonly [number, number] | undefined {
  if (size === undefined) return undefined
  if (typeof size === 'number') return [size, size]
  return 'height' in size ? [size.height, size.width] : [size.shortest_edge, size.shortest_edge]
}

/** `{ "0": "cat", "1": "dog" }` */
function labelsOf(byIndex: Readonly<Record<string, string>> | undefined): string[] | undefined {
  if (byIndex === undefined) return undefined
  const labels = Object.keys(byIndex).map((_, index) => byIndex[String(index)])
  return labels.every(label => label !== undefined) ? labels : undefined
}

function read<T>(path: string, schema: z.ZodType<T>): T | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
  const text = readWhole(path, { what: 'a configuration', maxBytes: 4 << 20 }).toString('utf8')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new FormatError(`'${path}' is not JSON; what it says of the weights beside it is needed: mend or remove it`)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [{ path: at, message }] = parsed.error.issues
  throw new FormatError(`'${path}' is damaged at '${at.join('.')}': ${message}`)
}
