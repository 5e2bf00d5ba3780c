/** @file Kernels as TensorFlow has them, with their outputs last, in our order: outputs first. */
import type { Shape } from '../graph/types.js'
import { asUnits, units } from './units.js'
import { type StoredTensor, storedElementBytes } from './weight-source.js'

/**
 * A kernel [kh, kw, in, out] as [out, in, kh, kw], a depthwise one [kh, kw, channels, 1] as [channels, 1, kh, kw], a dense one
 * [in, out] as [out, in]; anything else as it is. The numbers are moved when they are asked for.
 */
export function transposedKernel(tensor: StoredTensor): StoredTensor {
  const { shape, dtype } = tensor
  if (shape.length !== 2 && shape.length !== 4) return tensor
  const window = shape.slice(0, -2)
  const isDepthwise = shape.length === 4 && shape[3] === 1
  const [ins, outs] = isDepthwise ? [1, shape[2]] : shape.slice(-2)
  return {
    dtype,
    shape: [outs, ins, ...window],
    get bytes() {
      return moved(tensor.bytes, storedElementBytes(dtype), window, ins, outs)
    },
  }
}

/** Outputs that are moved at once: a cache line is read whole, and written to as many rows, each of them from its beginning to its end. */
const BLOCK = 16

function moved(bytes: Uint8Array, size: 1 | 2 | 4 | 8, window: Shape, ins: number, outs: number): Uint8Array {
  const places = window.reduce((product, side) => product * side, 1)
  const [from, to] = [asUnits(bytes, size), new units[size](places * ins * outs)]
  const row = ins * places
  for (let first = 0; first < outs; first += BLOCK) {
    const end = Math.min(outs, first + BLOCK)
    for (let i = 0; i < ins; i++) {
      for (let place = 0; place < places; place++) {
        const source = (place * ins + i) * outs
        const target = i * places + place
        for (let out = first; out < end; out++) to[out * row + target] = from[source + out]
      }
    }
  }
  return new Uint8Array(to.buffer)
}
