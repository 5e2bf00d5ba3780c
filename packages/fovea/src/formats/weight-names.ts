/**
 * @file What others call the weights of our models: tables, read in both directions. Our names are torchvision's wherever
 * torchvision has the model.
 */
import type { Normalization } from '../data/dataset.js'
import { normalizations } from '../data/normalization.js'
import { type EfficientnetOptions, efficientnetVariants } from '../models/efficientnet.js'
import type { ResnetOptions } from '../models/resnet.js'
import { kerasNamings } from './keras-names.js'
import type { StoredTensor } from './weight-source.js'

/**
 * Ours, theirs: the front part of a name, in which `*` stands for one number. In theirs, `+` is that number and one more, `@` its letter
 * of the alphabet. The longest that fits is taken.
 */
export type Row = readonly [ours: string, theirs: string]

/** Names that some library or repository gives to the weights of some models. */
export interface WeightNaming {
  readonly name: NamingName
  /** Of which models. */
  readonly models: readonly string[]
  /** What differs from ours. */
  readonly rows: readonly Row[]
  /** Of the norms, where theirs is not our model's. */
  readonly epsilon?: number
  /** How their network differs from ours, as options of the model. */
  readonly architecture?: Pick<EfficientnetOptions, 'padding' | 'stemStride'> &
    Pick<ResnetOptions, 'stridedConvolution'>
  /** What is done to a file's tensors first, where a tensor of theirs has no place in our network. */
  readonly adapt?: (tensors: ReadonlyMap<string, StoredTensor>) => ReadonlyMap<string, StoredTensor>
  /** Ours → theirs by the rows, as other names. */
  readonly renamed?: (names: ReadonlyMap<string, string>) => ReadonlyMap<string, string>
  /** What the images are given that these weights were trained on, if neither file nor user says it. */
  readonly preprocessing?: {
    readonly normalization: Normalization
    /** Our name of the convolution that reads blue, green, red in this order. Default: they read red first. */
    readonly blueFirst?: string
  }
}

/** Whose names weights have; `fovea` are our own, of any model. */
export type NamingName = 'fovea' | 'torchvision' | 'timm' | 'akamaster' | 'keras'

const efficientnets = efficientnetVariants.map(variant => `efficientnet-${variant}`)
const resnets = [18, 34, 50, 101, 152].map(depth => `resnet${depth}`)

/** A block that does not widen first (timm's DepthwiseSeparableConv), and one that does (InvertedResidual). */
const separable: readonly Row[] = [
  ['0.0', 'conv_dw'],
  ['0.1', 'bn1'],
  ['1.fc1', 'se.conv_reduce'],
  ['1.fc2', 'se.conv_expand'],
  ['2.0', 'conv_pw'],
  ['2.1', 'bn2'],
]
const inverted: readonly Row[] = [
  ['0.0', 'conv_pw'],
  ['0.1', 'bn1'],
  ['1.0', 'conv_dw'],
  ['1.1', 'bn2'],
  ['2.fc1', 'se.conv_reduce'],
  ['2.fc2', 'se.conv_expand'],
  ['3.0', 'conv_pwl'],
  ['3.1', 'bn3'],
]

/** timm 1.0, `timm/models/_efficientnet_blocks.py` and `efficientnet.py`. */
const timmEfficientnet: readonly Row[] = [
  ['features.0.0', 'conv_stem'],
  ['features.0.1', 'bn1'],
  ...[separable, inverted, inverted, inverted, inverted, inverted, inverted].flatMap((block, stage) =>
    block.map(([ours, theirs]): Row => [`features.${stage + 1}.*.block.${ours}`, `blocks.${stage}.*.${theirs}`]),
  ),
  ['features.8.0', 'conv_head'],
  ['features.8.1', 'bn2'],
  ['classifier.1', 'classifier'],
]

/** Our own names; a file has them if a model of ours was saved, or one of ours for which there are no others. */
const own: WeightNaming = { name: 'fovea', models: [], rows: [] }

const namings: readonly WeightNaming[] = [
  { name: 'torchvision', models: [...resnets, ...efficientnets], rows: [] },
  { name: 'timm', models: resnets, rows: [] },
  { name: 'timm', models: efficientnets.slice(0, 5), rows: timmEfficientnet },
  // torchvision's norms of these have 0.001.
  { name: 'timm', models: efficientnets.slice(5), rows: timmEfficientnet, epsilon: 1e-5 },
  // github.com/akamaster/pytorch_resnet_cifar10, of the paper's networks for CIFAR-10.
  {
    ...{ name: 'akamaster', models: [20, 32, 44, 56, 110].map(depth => `resnet${depth}`), rows: [['fc', 'linear']] },
    // Its trainer.py gives CIFAR-10's images ImageNet's mean and deviation.
    preprocessing: { normalization: normalizations.imagenet },
  },
  ...kerasNamings(resnets.slice(2), efficientnets),
]

/** Those by which weights can be written: Keras's networks are not quite ours. */
export const namingNames: readonly NamingName[] = [
  ...new Set(namings.filter(({ architecture }) => architecture === undefined).map(({ name }) => name)),
]

/** The namings of a model; the first is the one whose names are ours. */
export const namingsOf = (model: string): readonly WeightNaming[] => {
  const others = namings.filter(({ models }) => models.includes(model))
  return others[0]?.rows.length === 0 ? others : [own, ...others]
}

/** What a naming calls our weights: ours → theirs, each once. */
export const theirNames = (
  names: readonly string[],
  { rows, renamed = same => same }: WeightNaming,
): ReadonlyMap<string, string> => {
  const patterns = rows
    .map(([ours, theirs]) => ({ pattern: patternOf(ours), theirs }))
    .sort((a, b) => b.pattern.source.length - a.pattern.source.length)
  return renamed(
    new Map(
      names.map(name => {
        const row = patterns.find(({ pattern }) => pattern.test(name))
        return [name, row === undefined ? name : name.replace(row.pattern, (_, ...parts) => fill(row.theirs, parts))]
      }),
    ),
  )
}

/** A front part of whole words. */
const patternOf = (ours: string): RegExp =>
  new RegExp(`^${ours.replaceAll('.', '\\.').replaceAll('*', '(\\d+)')}(?=\\.|$)`)

function fill(theirs: string, parts: readonly unknown[]): string {
  let part = 0
  return theirs.replace(/[*+@]/g, sign => {
    const number = Number(parts[part++])
    if (sign === '@') return String.fromCharCode('a'.charCodeAt(0) + number)
    return String(sign === '+' ? number + 1 : number)
  })
}
