/** @file Axes that kernels walk: neighbours that every tensor walks without a gap are one. */
import type { Shape } from '../../../graph/types.js'
import { denseStrides } from '../../../ops/strided.js'

/** How tensors are walked together: the sizes of the axes, and for each tensor its steps along them. */
export interface Walk {
  readonly dims: readonly number[]
  readonly strides: readonly (readonly number[])[]
}

/** An axis: its size, and for each tensor the step along it. */
export interface Axis {
  readonly size: number
  readonly strides: readonly number[]
}

/** Drops axes of size 1 and joins neighbours that every tensor walks without a gap. Leaves at least one axis. */
export function collapse(axes: readonly Axis[], tensors: number): Walk {
  const joined: Axis[] = []
  for (const axis of axes.filter(({ size }) => size !== 1)) {
    const last = joined.at(-1)
    if (last?.strides.every((stride, t) => stride === axis.size * axis.strides[t])) {
      joined[joined.length - 1] = { size: last.size * axis.size, strides: axis.strides }
    } else {
      joined.push(axis)
    }
  }
  if (joined.length === 0) joined.push({ size: 1, strides: new Array<number>(tensors).fill(1) })
  return {
    dims: joined.map(({ size }) => size),
    strides: Array.from({ length: tensors }, (_, t) => joined.map(({ strides }) => strides[t])),
  }
}

/** The strides of a tensor of shape `from` where it is broadcast to the rank and sizes of `to`. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = denseStrides(from)
  return to.map((_, axis) => {
    const own = axis - (to.length - from.length)
    return own < 0 || from[own] === 1 ? 0 : strides[own]
  })
}
