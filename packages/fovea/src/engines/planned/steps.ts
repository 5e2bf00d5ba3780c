/** @file What a lowered graph is made of: buffers, and steps that read and write them. */
import type { Node } from '../../graph/graph.js'
import type { KernelName } from './kernels/table.js'

/** A piece of memory, without a place yet. */
export interface Buffer {
  bytes: number
  /** Outlives a run. */
  readonly state: boolean
  /** Each thread has its own, of so many bytes. */
  readonly perThread: boolean
  /** Threads clear it before the loop that adds to it. */
  readonly zeroed: boolean
  /** Holds nothing that another step needs. */
  readonly scratch: boolean
  /** How many reads of the values it holds are still to come in the graph. */
  pendingReads: number
}

/** What a step reads or writes. */
export interface Operand {
  readonly buffer: Buffer
  /** Whether a sliced step gets the part of its slice, or the whole. */
  readonly sliced: boolean
}

/** A step of a plan to come, on buffers without places. */
export interface LoweredStep {
  readonly node: Node
  /** A kernel's name, or a primitive's number. */
  readonly run: { readonly kernel: KernelName } | { readonly primitive: number }
  readonly operands: readonly (Operand | undefined)[]
  /** Of the operands, by position: which are written. The others are read. */
  readonly writes: readonly number[]
  readonly ints: readonly number[]
  readonly floats: readonly number[]
  readonly implementation: string
  /** Depends on state that no run changes: done again only after that state is written. */
  readonly once: boolean
  /** How many slices of the batch it is done on, one after another; 0: all threads share the whole. */
  readonly slices: number
  readonly imagesPerSlice: number
}
