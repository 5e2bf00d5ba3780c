/** @file Axes that kernels walk: neighbours that every tensor walks without a gap are one. */
import type { Shape } from 'fovea/engine'
import { denseStrides } from 'fovea/engine'

/** Axes that walk together: sizes, and for each tensor the step along the axis. */
export interface Axis {
  readonly size: number
  readonly strides: readonly number[]
}

/** Drops axes of size 1 and joins neighbours that every tensor walks without a gap. Leaves at least one axis. */
export function collapse(axes: readonly Axis[], tensors: number): Axis[] {
  const joined: Axis[] = []
  for (const axis of axes.filter(({ size }) => size !== 1)) {
    const last = joined.at(-1)
    if (last?.strides.every((stride, t) => stride === axis.size * axis.strides[t])) {
      joined[joined.length - 1] = { size: last.size * axis.size, strides: axis.strides }
    } else {
      joined.push(axis)
    }
  }
  return joined.length > 0 ? joined : [{ size: 1, strides: new Array<number>(tensors).fill(1) }]
}

/** The sizes, then the strides of each tensor. */
export function flat(axes: readonly Axis[]): number[] {
  const tensors = axes[0].strides.length
  const strides = Array.from({ length: tensors }, (_, t) => axes.map(axis => axis.strides[t]))
  return [...axes.map(axis => axis.size), ...strides.flat()]
}

/** The strides of a tensor of shape `from` where it is broadcast to the rank and sizes of `to`. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = denseStrides(from)
  return to.map((_, axis) => {
    const own = axis - (to.length - from.length)
    return own < 0 || from[own] === 1 ? 0 : strides[own]
  })
}
