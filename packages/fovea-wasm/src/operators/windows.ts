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
