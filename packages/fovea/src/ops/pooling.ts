/** @file What max and average pooling share: the window, its output shape, and the walk over input pixels under it. */
import { ShapeError } from '../errors.js'
import { formatShape, type Shape } from '../graph/types.js'
import { windowedSize } from './conv2d.js'
import { expectImages, expectIntegers } from './expect.js'

export type PoolingAttributes = {
  readonly kernel: readonly [number, number]
  readonly stride: readonly [number, number]
  /** [top, bottom, left, right], each smaller than the kernel, so that every window holds at least one pixel. */
  readonly padding: readonly [number, number, number, number]
}

/** [batch, height, width, channels] of the pooled tensor. */
export function pooledShape(shape: Shape, { kernel, stride, padding }: PoolingAttributes): Shape {
  expectImages({ shape, dtype: 'float32' })
  expectIntegers('kernel', kernel, 2, 1)
  expectIntegers('stride', stride, 2, 1)
  expectIntegers('padding', padding, 4, 0)
  const [n, h, w, channels] = shape
  const [kh, kw] = kernel
  if (Math.max(padding[0], padding[1]) >= kh || Math.max(padding[2], padding[3]) >= kw) {
    throw new ShapeError(`padding [${padding.join(',')}] must be smaller than the ${kh}×${kw} window`)
  }
  const oh = windowedSize(h, kh, stride[0], padding[0] + padding[1])
  const ow = windowedSize(w, kw, stride[1], padding[2] + padding[3])
  if (oh < 1 || ow < 1) throw new ShapeError(`the ${kh}×${kw} window does not fit into the input ${formatShape(shape)}`)
  return [n, oh, ow, channels]
}

/**
 * Calls `visit` for each output pixel and each input pixel under its window, row by row: their offsets at the first
 * channel, and the pixel's place ky·kw + kx in the window.
 */
export function forEachPooled(
  x: Shape,
  y: Shape,
  { kernel, stride, padding }: PoolingAttributes,
  visit: (xOffset: number, yOffset: number, place: number) => void,
): void {
  const [n, h, w, channels] = x
  const [, oh, ow] = y
  for (let b = 0; b < n; b++) {
    for (let oy = 0; oy < oh; oy++) {
      for (let ox = 0; ox < ow; ox++) {
        const yOffset = ((b * oh + oy) * ow + ox) * channels
        for (let ky = 0; ky < kernel[0]; ky++) {
          const iy = oy * stride[0] - padding[0] + ky
          if (iy < 0 || iy >= h) continue
          for (let kx = 0; kx < kernel[1]; kx++) {
            const ix = ox * stride[1] - padding[2] + kx
            if (ix >= 0 && ix < w) visit(((b * h + iy) * w + ix) * channels, yOffset, ky * kernel[1] + kx)
          }
        }
      }
    }
  }
}
