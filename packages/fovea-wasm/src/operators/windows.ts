/** @file Where the windows of a convolution lie, in the words of our kernels. */
import { asImages, asWeights, type Geometry, imagesOf } from 'fovea/engine'

/** Whether there is one filter a channel. */
export const isDepthwise = ({ weight, y, attrs: { groups } }: Geometry): boolean =>
  groups > 1 && weight[0] === groups && weight[1] === 1 && y.at(-1) === groups

/** The fields of all kernels of depthwise convolutions. */
export function depthwiseWindows({ x, y, weight, attrs }: Geometry) {
  const [, , kernelHeight, kernelWidth] = asWeights(weight)
  const [dilationY, dilationX] = attrs.dilation
  const images = imagesOf(asImages(x), asImages(y), attrs.stride, attrs.padding)
  return { ...images, kernelHeight, kernelWidth, dilationY, dilationX }
}

/** The fields of all kernels of other convolutions. Windows of one pixel without gaps walk all pixels as those of one row. */
export function windowsOf(geometry: Geometry) {
  const { weight, attrs } = geometry
  const { groups } = attrs
  const windows = depthwiseWindows(geometry)
  const { images, outHeight, outWidth, kernelHeight, kernelWidth } = windows
  const [out, inputs] = weight
  const own = { ...windows, groups, inputs, outputs: out / groups }
  const onePixel =
    kernelHeight * kernelWidth === 1 && [...attrs.stride, 1 + Math.max(...attrs.padding)].every(n => n === 1)
  if (!onePixel) return own
  const pixels = images * outHeight * outWidth
  return { ...own, images: 1, height: 1, width: pixels, outHeight: 1, outWidth: pixels }
}

/** Channels that Winograd's kernels take at once. */
const PANEL = 8
/** With fewer, tiles are transformed for too few products. */
const FEWEST_CHANNELS = 16

/** Whether Winograd's algorithm computes it, in all three directions. */
export function hasWinograd({ weight, attrs: { groups, stride, dilation, padding } }: Geometry): boolean {
  const [outputs, inputs, ...window] = asWeights(weight)
  return (
    groups === 1 &&
    [...stride, ...dilation].every(n => n === 1) &&
    window.every(side => side === 3) &&
    padding.every(pixels => pixels <= 2) &&
    [outputs, inputs].every(channels => channels % PANEL === 0 && channels >= FEWEST_CHANNELS)
  )
}

/** The fields of its kernels. */
export function winogradOf(geometry: Geometry) {
  const { images, height, width, outHeight, outWidth, top, left } = depthwiseWindows(geometry)
  const [outputs, inputs] = geometry.weight
  return { images, height, width, outHeight, outWidth, top, left, inputs, outputs }
}

/** The same of the gradient by the input: a convolution of the output's gradient. */
export function winogradBackwards(geometry: Geometry) {
  const { height, width, outHeight, outWidth, top, left, inputs, outputs, images } = winogradOf(geometry)
  return {
    ...{ images, height: outHeight, width: outWidth, outHeight: height, outWidth: width },
    ...{ top: 2 - top, left: 2 - left, inputs: outputs, outputs: inputs },
  }
}
