/**
 * @file What a graph is compiled to: loops over steps, and where each buffer lies. Nothing in it changes; a program runs it and
 * knows nothing else.
 */

import type { Graph, Node } from '../../graph/graph.js'
import type { Program } from '../engine.js'
import type { KernelName } from './kernels/table.js'

/** A piece of memory in its place: bytes from `offset` on in the block of state or in the arena. */
export interface PlanBuffer {
  readonly state: boolean
  readonly offset: number
  readonly bytes: number
  /** How far that of the next thread is away; 0 where all have one. */
  readonly threadStride: number
  /** The values that it holds, one after another: names of nodes. None for what holds nothing from one step to the next. */
  readonly holds: readonly string[]
}

/** What a step reads or writes. */
export interface PlanOperand {
  /** Its place among the plan's buffers. */
  readonly buffer: number
  /** Bytes by which it moves from slice to slice. */
  readonly stride: number
}

export interface PlanStep {
  readonly node: Node
  /** A kernel's name, or a primitive's number. */
  readonly run: { readonly kernel: KernelName } | { readonly primitive: number }
  /** A kernel's name, or what the target calls what it does. */
  readonly implementation: string
  /** Undefined where an optional one is absent. */
  readonly operands: readonly (PlanOperand | undefined)[]
  /** Of the operands, by position: which are written. The others are read. */
  readonly writes: readonly number[]
  readonly ints: readonly number[]
  readonly floats: readonly number[]
  /** Depends on state that no run changes: done again only after that state is written. */
  readonly once: boolean
  /** That it reads and writes of values, in all slices. */
  readonly bytes: number
}

/** Steps that each thread does on one slice of the batch after another, or one that all threads share (`slices` 0). */
export interface PlanLoop {
  readonly slices: number
  readonly imagesPerSlice: number
  /** Buffers that each thread clears first. */
  readonly zeroed: readonly number[]
  readonly steps: readonly PlanStep[]
}

/** Where a leaf lies that is written before a run, or read after it: in a layout, which is reordered from and to the dense one. */
export interface PlanLeaf {
  readonly buffer: number
  /** Undefined where it lies dense. */
  readonly layout?: { readonly own: number; readonly dense: number }
}

export interface Plan {
  readonly graph: Graph
  readonly threads: number
  readonly memory: Program['memory']
  readonly buffers: readonly PlanBuffer[]
  readonly loops: readonly PlanLoop[]
  /** Inputs, parameters, buffers, constants. */
  readonly leaves: ReadonlyMap<string, PlanLeaf>
  /** The buffer, after a run, of each output of the graph. */
  readonly outputs: ReadonlyMap<string, number>
}
