/**
 * @file A model: its forward graph as data, its weights, and what a user needs to feed it (preprocessing, labels).
 * Knows no architecture: those are functions that build one.
 */
import type { Normalization } from '../data/dataset.js'
import type { HostArray } from '../graph/arrays.js'
import type { Graph } from '../graph/graph.js'

/** The values of parameters and buffers by name, in their plain layouts; each array is of its tensor's type. */
export type Weights = Map<string, HostArray>

/** The filters by which pictures are resized. */
export const interpolations = ['lanczos', 'bicubic', 'bilinear'] as const

/** How a picture is resized before its center is cropped. */
export interface Resizing {
  /** The part of the resized picture's shorter side that is kept, above 0 and at most 1: timm's `crop_pct`. */
  readonly crop: number
  readonly interpolation: (typeof interpolations)[number]
}

/** How an image becomes an input: resized and cropped to `size`, scaled to [0, 1], normalized. */
export interface Preprocessing extends Normalization {
  /** [height, width, channels] */
  readonly size: readonly [number, number, number]
  /** Default: the shorter side is the model's, by Lanczos. */
  readonly resizing?: Resizing
}

/**
 * `graph` has one input `image` (1×height×width×channels) and one output `logits` (1×classes). It is neither in training
 * nor in inference form (see passes/training-mode.ts, passes/inference-mode.ts) and is rebuilt for other batch sizes.
 */
export interface Model {
  /** The registry's name, or what it was made from: `resnet20`. */
  readonly name: string
  readonly graph: Graph
  readonly weights: Weights
  readonly preprocessing: Preprocessing
  /** Class names, in the order of the logits. */
  readonly labels: readonly string[]
}
