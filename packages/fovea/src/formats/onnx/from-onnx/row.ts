/** @file What the rows of this table share: what a row gets, and its inputs as they must be. */
import { FormatError } from '../../../errors.js'
import type { Value } from '../../../graph/graph.js'
import { formatShape } from '../../../graph/types.js'
import type { Known } from '../known.js'
import type { ReadNode } from '../read-node.js'
import { type Computed, dimsOf, isKnown, isStored, type OnnxValue, type Reading, type Stored } from '../reading.js'

/** What a row gets. */
export interface NodeReading {
  readonly node: ReadNode
  /** Those that are left out are undefined. */
  readonly inputs: readonly (OnnxValue | undefined)[]
  readonly reading: Reading
}

/** Adds ours for one of theirs, and returns what its outputs stand for. */
export type Row = (at: NodeReading) => OnnxValue | readonly OnnxValue[]

export const refuse = (why: string): never => {
  throw new FormatError(why)
}

/** An input that depends on an image. */
export function computed({ inputs }: NodeReading, i: number): Computed {
  const value = inputs[i]
  if (value === undefined) return refuse(`input ${i + 1} is missing`)
  return isKnown(value) || isStored(value) ? refuse(`input ${i + 1} depends on no image`) : value
}

/** An input whose numbers are known; integers as the floats that they stand for. */
export function known({ inputs }: NodeReading, i: number): Known | undefined {
  const value = inputs[i]
  if (value === undefined) return undefined
  if (isStored(value)) return floatsOf(value)
  return isKnown(value) ? value : refuse(`input ${i + 1} is computed: only fixed numbers are read there`)
}
export const needed = (at: NodeReading, i: number): Known => known(at, i) ?? refuse(`input ${i + 1} is missing`)

export function floatsOf({ integers, scales }: Stored): Known {
  const run = integers.values.length / scales.length
  const values = Float32Array.from(integers.values, (q, i) => q * scales[Math.floor(i / run)])
  return { ...integers, type: 'float32', values }
}

/** An image with its channels last. */
export function image(at: NodeReading, i = 0): Computed {
  const x = computed(at, i)
  if (x.layout === 'nhwc') return x
  return refuse(`its input is ${formatShape(dimsOf(x))}, no image whose channels come second`)
}

/** The axis of ours that is an axis of theirs. */
export function axisOf(x: Computed, axis: number): number {
  const rank = x.value.type.shape.length
  const own = axis < 0 ? axis + rank : axis
  if (!(own >= 0 && own < rank)) refuse(`there is no axis ${axis} of ${formatShape(dimsOf(x))}`)
  if (x.layout === 'chw' && own > 0) refuse('flattened images are read by a matrix only')
  return x.layout === 'nhwc' ? [0, 3, 1, 2][own] : own
}
/** The same of a list with a number for each axis. */
export const inOrder = (x: Computed, list: readonly number[]): number[] => {
  if (x.layout === 'chw') refuse('flattened images are read by a matrix only')
  return x.layout === 'nhwc' ? [0, 2, 3, 1].map(axis => list[axis]) : [...list]
}

export const sameValue = (a: Value, b: Value | undefined): boolean => a.node === b?.node && a.index === b.index
