/**
 * @file What an operator is: one object that holds its shape rule, cost, gradient and reference implementation.
 * Knows no operator by name, so that the table in `ops/index.ts` can be built from definitions without a cycle. That table
 * is all there is: a graph's nodes name their operators, and passes, engines and files find them there.
 */
import type { HostArray } from '../graph/arrays.js'
import type { Attributes, Node, Value } from '../graph/graph.js'
import type { DType, Shape, TensorType } from '../graph/types.js'
import type { GraphBuilder } from './builder.js'

/** A value of the reference engine, which holds floats of every width in arrays of its own precision. */
export interface Tensor {
  readonly shape: Shape
  readonly dtype: DType
  readonly data: HostArray
}

/** What a gradient rule gets: the node it is for, and a builder for the nodes that it adds. */
export interface GradientContext<A> {
  readonly builder: GraphBuilder
  readonly node: Node
  readonly attrs: A
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** The loss's gradient by each output; undefined where the loss does not depend on it. */
  readonly gradients: readonly (Value | undefined)[]
}

/**
 * The parts that each image of a batch has in inputs and outputs, along their first axis. An image's part of an output
 * comes from its part of the inputs listed, from all of the other inputs (weights, tables), and from the outputs that are
 * not listed (sums over the batch, statistics), which hold what all images come to.
 */
export interface BatchRoles {
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

/**
 * One axis of an input or output, and the channel to which each of its indices belongs: several indices may belong to one
 * channel (what a convolution's group reads, a channel's columns after `flatten`), and some to none, which is -1 (the zeros
 * that padding adds).
 */
export interface LinkedAxis {
  readonly tensor: 'input' | 'output'
  readonly index: number
  readonly axis: number
  readonly channels: Int32Array
}

/**
 * Axes that are the same thing, channel by channel. Exchanging channels in the inputs' axes exchanges them in the outputs'
 * and changes nothing else. A channel of which only zeros are read can be left out of all of these axes, and all else stays
 * as it is. An index of no channel can be left out by itself.
 */
export type AxisLink = readonly LinkedAxis[]

/** For each axis of each input and output, the indices that are left, in their order. */
export interface KeptIndices {
  readonly inputs: readonly (readonly ArrayLike<number>[])[]
  readonly outputs: readonly (readonly ArrayLike<number>[])[]
}

/**
 * Traits are what passes and engines ask instead of naming operators: `activation` is an elementwise function of one
 * input that may be fused into the node before it; `elementwise` makes an element of an output from those at its place in
 * the inputs, which are broadcast; `random` takes a seed as its last input; `selection` makes its first output of elements
 * of its first input, and of zeros (or of its attribute `value`); `update` gives states their next content, whatever order their elements lie in.
 */
export type Trait = 'activation' | 'elementwise' | 'random' | 'selection' | 'update'

/** All there is to know about an operator. An attribute `shape` is always the first output's, so that it can be sliced. */
export interface OpDefinition<A extends Attributes = Attributes> {
  readonly name: string
  readonly traits?: readonly Trait[]
  /**
   * The types of the outputs.
   * @throws ShapeError without the node's name (the builder puts it in front)
   */
  readonly infer: (inputs: readonly TensorType[], attrs: A) => readonly TensorType[]
  /** Multiply-adds as papers count them: convolutions and matrix products only; 0 when absent. */
  readonly multiplyAdds?: (inputs: readonly TensorType[], outputs: readonly TensorType[], attrs: A) => number
  /**
   * Which inputs and outputs have a part for each image, so that engines can run it on some images at a time; undefined
   * where it mixes images, or there are none. What draws at random does so by the place in the whole batch.
   */
  readonly batch: (inputs: readonly TensorType[], outputs: readonly TensorType[], attrs: A) => BatchRoles | undefined
  /**
   * Which memory outputs may take. `view`: the output is its first input's memory, in another shape. Else for each output
   * the inputs that it may overwrite where they are of its type and size and nobody reads them later, the best first: each
   * element is read before its place is written. An update of state overwrites the state's.
   */
  readonly memory: 'view' | readonly (readonly number[])[]
  /**
   * Which axes of inputs and outputs are the same, each in one link at most; an axis in none keeps all its indices. From the
   * links of all nodes follows which channels of a network are one, and can be pruned.
   */
  readonly axes: (inputs: readonly TensorType[], outputs: readonly TensorType[], attrs: A) => readonly AxisLink[]
  /** The attributes of what is left, where axes lose indices; unchanged when absent, but for `shape`. */
  readonly resize?: (attrs: A, kept: KeptIndices) => A
  /** Inputs that stay float32 in mixed precision; the others are read in the type of the first, or of the policy. */
  readonly float32Inputs?: readonly number[]
  /** The loss's gradient by each input, written as nodes; undefined for an input that has none (labels, a seed). */
  readonly gradient?: (context: GradientContext<A>) => readonly (Value | undefined)[]
  /** Plain, obviously right code. Outputs come zero-filled, in the shapes that `infer` gave. */
  readonly reference: (inputs: readonly Tensor[], outputs: readonly Tensor[], attrs: A) => void
}

/** Checks nothing at run time: it exists so that attributes are typed where an operator is defined. */
export const defineOp = <A extends Attributes>(definition: OpDefinition<A>): OpDefinition<A> => definition
