/**
 * @file What a model is trained to do. The step, the loop and the evaluation know of it only what stands here: what a step is fed
 * to compare with, what is made smaller, what is measured, and what outputs mean. Classification is one (classification.ts).
 */
import type { Batch } from '../data/dataset.js'
import type { Outputs } from '../engines/engine.js'
import type { Value } from '../graph/graph.js'
import type { GraphBuilder } from '../ops/builder.js'

/** What every task measures: a loss, and a fraction of images that are right. */
export interface Measures {
  /** The mean over the images. */
  readonly loss: number
  readonly accuracy: number
  /** How many there were. */
  readonly images: number
}

/** Sums over the images of a pass. */
export interface Metrics<Result> {
  /** Adds the images of a batch that count. */
  add(outputs: Outputs, batch: Batch): void
  readonly result: Result
}

/** The targets of a batch: by input, an array whose first axis is that of the images. */
export type Targets = Readonly<Record<string, Int32Array | Float32Array>>

/** The outputs of a graph, by name. */
export type OutputValues = ReadonlyMap<string, Value>

export interface Task<Result extends Measures = Measures, Decoded = unknown> {
  /** Those of the model that metrics, `correct` and `decode` read: no others are asked of a run. */
  readonly outputs: readonly string[]
  /** What a step is fed beside the images of a batch. */
  targets(batch: Batch): Targets
  /** Adds the inputs for the targets, and the loss: a scalar, the mean over the batch. */
  loss(builder: GraphBuilder, outputs: OutputValues): Value
  /** What is measured in a pass over images; nothing yet. */
  metrics(): Metrics<Result>
  /** How many images of a training batch are right: for progress, so it costs next to nothing. */
  correct(outputs: Outputs, batch: Batch): number
  /** What the outputs for a batch mean, of the images that count. */
  decode(outputs: Outputs, batch: Batch): Decoded
}
