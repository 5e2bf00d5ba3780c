/**
 * @file The reference implementation of convolution and its gradients: image by image and group by group, a product of two
 * matrices, one of which holds the patches of the input under each output pixel ("im2col": Chellapilla et al. 2006).
 * Where each channel has its own filter (depthwise) there is no matrix to speak of, and the loops run directly.
 */
import { elements, type Shape } from '../graph/types.js'
import type { Conv2dAttributes } from './conv2d.js'
import type { Tensor } from './define.js'
import { addProduct, transpose } from './matrix.js'

/** Sizes of one image and one group, and the loop over which input pixel meets which output pixel. */
class Geometry {
  readonly images: number
  readonly groups: number
  readonly channels: number
  readonly out: number
  readonly inPerGroup: number
  readonly outPerGroup: number
  readonly inputPixels: number
  readonly outputPixels: number
  readonly taps: number
  /** Elements of a patch: each tap of the kernel, each channel of the group. */
  readonly patch: number
  readonly depthwise: boolean

  constructor(
    readonly x: Shape,
    readonly y: Shape,
    readonly weight: Shape,
    readonly attrs: Conv2dAttributes,
  ) {
    this.images = x[0]
    this.groups = attrs.groups
    this.channels = x[3]
    this.out = y[3]
    this.inPerGroup = weight[1]
    this.outPerGroup = this.out / this.groups
    this.inputPixels = x[1] * x[2]
    this.outputPixels = y[1] * y[2]
    this.taps = weight[2] * weight[3]
    this.patch = this.taps * this.inPerGroup
    this.depthwise = this.inPerGroup === 1 && this.outPerGroup === 1
  }

  /** Calls `visit` for each output pixel of an image and each tap that falls on an input pixel (not on padding). */
  forEachTap(visit: (inputPixel: number, outputPixel: number, tap: number) => void): void {
    const [, h, w] = this.x
    const [, oh, ow] = this.y
    const [, , kh, kw] = this.weight
    const { stride, padding, dilation } = this.attrs
    for (let oy = 0; oy < oh; oy++) {
      for (let ox = 0; ox < ow; ox++) {
        for (let ky = 0; ky < kh; ky++) {
          const iy = oy * stride[0] - padding[0] + ky * dilation[0]
          if (iy < 0 || iy >= h) continue
          for (let kx = 0; kx < kw; kx++) {
            const ix = ox * stride[1] - padding[2] + kx * dilation[1]
            if (ix >= 0 && ix < w) visit(iy * w + ix, oy * ow + ox, ky * kw + kx)
          }
        }
      }
    }
  }

  forEachImageAndGroup(visit: (image: number, group: number) => void): void {
    for (let group = 0; group < this.groups; group++) {
      for (let image = 0; image < this.images; image++) visit(image, group)
    }
  }

  /** [output pixels, patch]: what each output pixel is made of. */
  patches(x: Tensor, image: number, group: number): Float64Array {
    const { inPerGroup, patch, channels } = this
    const result = new Float64Array(this.outputPixels * patch)
    const base = image * this.inputPixels * channels + group * inPerGroup
    this.forEachTap((inputPixel, outputPixel, tap) => {
      const from = base + inputPixel * channels
      const to = outputPixel * patch + tap * inPerGroup
      for (let i = 0; i < inPerGroup; i++) result[to + i] = x.data[from + i]
    })
    return result
  }

  /** [output pixels, outPerGroup]: one group's channels of the output's gradient. */
  outputGradient(dy: Tensor, image: number, group: number): Float64Array {
    const { outPerGroup, out } = this
    const result = new Float64Array(this.outputPixels * outPerGroup)
    for (let pixel = 0; pixel < this.outputPixels; pixel++) {
      const from = (image * this.outputPixels + pixel) * out + group * outPerGroup
      for (let o = 0; o < outPerGroup; o++) result[pixel * outPerGroup + o] = dy.data[from + o]
    }
    return result
  }

  /** Calls `visit` for each weight with its place in the plain layout and in [out, tap, in], the order of patches. */
  forEachWeight(visit: (plain: number, ordered: number) => void): void {
    const { out, inPerGroup, taps, patch } = this
    for (let o = 0; o < out; o++) {
      for (let i = 0; i < inPerGroup; i++) {
        for (let tap = 0; tap < taps; tap++) visit((o * inPerGroup + i) * taps + tap, o * patch + tap * inPerGroup + i)
      }
    }
  }

  /** For each group, [outPerGroup, patch]. */
  filters(weight: Tensor): Float64Array[] {
    const ordered = new Float64Array(weight.data.length)
    this.forEachWeight((from, to) => {
      ordered[to] = weight.data[from]
    })
    const size = this.outPerGroup * this.patch
    return Array.from({ length: this.groups }, (_, g) => ordered.subarray(g * size, (g + 1) * size))
  }

  /** Calls `visit` for each image, tap and pair of pixels of a depthwise convolution, at the first channel of each. */
  forEachDepthwise(visit: (xOffset: number, yOffset: number, tapOffset: number) => void): void {
    for (let image = 0; image < this.images; image++) {
      this.forEachTap((inputPixel, outputPixel, tap) =>
        visit(
          (image * this.inputPixels + inputPixel) * this.channels,
          (image * this.outputPixels + outputPixel) * this.channels,
          tap * this.channels,
        ),
      )
    }
  }
}

/** y = x ∗ weight + bias. */
export function convolve(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  y: Tensor,
  attrs: Conv2dAttributes,
): void {
  const geometry = new Geometry(x.shape, y.shape, weight.shape, attrs)
  const { out, outPerGroup, outputPixels, patch, channels, taps } = geometry
  if (bias !== undefined) for (let i = 0; i < y.data.length; i++) y.data[i] = bias.data[i % out]
  if (geometry.depthwise) {
    const filters = transpose(Float64Array.from(weight.data), channels, taps)
    geometry.forEachDepthwise((from, to, tap) => {
      for (let c = 0; c < channels; c++) y.data[to + c] += x.data[from + c] * filters[tap + c]
    })
    return
  }
  const filters = geometry.filters(weight)
  geometry.forEachImageAndGroup((image, group) => {
    const result = new Float64Array(outputPixels * outPerGroup)
    addProduct(geometry.patches(x, image, group), filters[group], result, outputPixels, outPerGroup, patch)
    for (let pixel = 0; pixel < outputPixels; pixel++) {
      const to = (image * outputPixels + pixel) * out + group * outPerGroup
      for (let o = 0; o < outPerGroup; o++) y.data[to + o] += result[pixel * outPerGroup + o]
    }
  })
}

/** The gradient by the input: each output pixel's gradient goes back to the pixels that it was made of. */
export function convolveBack(dy: Tensor, weight: Tensor, dx: Tensor, attrs: Conv2dAttributes): void {
  const geometry = new Geometry(dx.shape, dy.shape, weight.shape, attrs)
  const { outPerGroup, inPerGroup, outputPixels, inputPixels, patch, channels, taps } = geometry
  if (geometry.depthwise) {
    const filters = transpose(Float64Array.from(weight.data), channels, taps)
    geometry.forEachDepthwise((to, from, tap) => {
      for (let c = 0; c < channels; c++) dx.data[to + c] += dy.data[from + c] * filters[tap + c]
    })
    return
  }
  const filters = geometry.filters(weight).map(filter => transpose(filter, outPerGroup, patch))
  geometry.forEachImageAndGroup((image, group) => {
    const patches = new Float64Array(outputPixels * patch)
    addProduct(geometry.outputGradient(dy, image, group), filters[group], patches, outputPixels, patch, outPerGroup)
    const base = image * inputPixels * channels + group * inPerGroup
    geometry.forEachTap((inputPixel, outputPixel, tap) => {
      const from = outputPixel * patch + tap * inPerGroup
      const to = base + inputPixel * channels
      for (let i = 0; i < inPerGroup; i++) dx.data[to + i] += patches[from + i]
    })
  })
}

/** The gradient by the weight: the sum over all images of what each tap saw times the output's gradient. */
export function correlate(x: Tensor, dy: Tensor, dw: Tensor, attrs: Conv2dAttributes): void {
  const geometry = new Geometry(x.shape, dy.shape, dw.shape, attrs)
  const { outPerGroup, outputPixels, patch, channels, taps } = geometry
  if (geometry.depthwise) {
    const sums = new Float64Array(taps * channels)
    geometry.forEachDepthwise((from, to, tap) => {
      for (let c = 0; c < channels; c++) sums[tap + c] += x.data[from + c] * dy.data[to + c]
    })
    dw.data.set(transpose(sums, taps, channels))
    return
  }
  const sums = new Float64Array(elements(dw.shape))
  geometry.forEachImageAndGroup((image, group) => {
    const patches = transpose(geometry.patches(x, image, group), outputPixels, patch)
    const gradient = transpose(geometry.outputGradient(dy, image, group), outputPixels, outPerGroup)
    const size = outPerGroup * patch
    addProduct(gradient, patches, sums.subarray(group * size, (group + 1) * size), outPerGroup, patch, outputPixels)
  })
  geometry.forEachWeight((to, from) => {
    dw.data[to] = sums[from]
  })
}
