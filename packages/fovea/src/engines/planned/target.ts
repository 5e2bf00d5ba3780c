/** @file What a compiled engine has of its own, beside the kernels of ours: convolutions, and layouts of weights that suit them. */
import type { Graph } from '../../graph/graph.js'
import type { DType, Shape } from '../../graph/types.js'
import type { Lowering } from './lowering.js'
import type { LoweringEntry } from './operators/operator.js'
import type { LoweredStep } from './steps.js'

/** Something of the target's that a step can run. */
export interface Primitive {
  readonly id: number
  /** What the target calls it. */
  readonly implementation: string
  readonly scratchpadBytes: number
}

/** A step of a kernel of ours that reads one buffer and writes another. */
export type Packing = Pick<LoweredStep, 'run' | 'implementation' | 'ints' | 'floats'>

/** The operators that each target lowers in its own way. */
export type ConvolutionOp = 'integerConv2d' | `${'conv2d' | 'linear'}${'' | 'InputGradient' | 'WeightGradient'}`

/** Layouts of weights, by number. */
export interface TargetLayouts {
  /** That of weights as PyTorch has them. */
  dense(shape: Shape, dtype: DType, groups: number): number
  bytesOf(layout: number): number
  /**
   * How many output channels lie side by side where float32 weights lie in blocks of these, one behind another without gaps, each with all
   * that belongs to its channels; undefined for others.
   */
  outputBlock(layout: number): number | undefined
  /** Whether there are reorders of numbers of this type: others are cast to float32 first. */
  reorders(dtype: DType): boolean
  /** From one layout to another, which may be of another type. */
  reorder(from: number, to: number, threads: number): Primitive | Packing
}

/** What the planner asks a compiled engine, one for each plan. */
export interface Target {
  /** In messages: `the NAME engine`. */
  readonly name: string
  readonly threads: number
  readonly layouts: TargetLayouts
  readonly convolutions: Readonly<Record<ConvolutionOp, LoweringEntry>>
  /** Whether slices of an even number of images suit the graph. */
  prefersEvenSlices(graph: Graph): boolean
  /** Before any node is lowered: decides in which layouts states live, and which values are stored in a wider type. */
  prepare(to: Lowering): void
}
