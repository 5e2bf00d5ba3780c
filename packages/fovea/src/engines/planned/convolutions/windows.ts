/** @file Where the windows of a convolution lie, in the words of our kernels. */
import type { Graph } from '../../../graph/graph.js'
import { asImages, asWeights, type Geometry } from '../operators/geometry.js'
import { imagesOf } from '../operators/operator.js'
import { hasWinograd, winogradTiles } from '../operators/winograd.js'

/** What says where they lie. */
type Windows = Pick<Geometry, 'x' | 'y' | 'weight' | 'attrs'>

/** Whether there is one filter a channel. */
export const isDepthwise = ({ weight, y, attrs: { groups } }: Geometry): boolean =>
  groups > 1 && weight[0] === groups && weight[1] === 1 && y.at(-1) === groups

/** The fields of all kernels of depthwise convolutions. */
export function depthwiseWindows({ x, y, weight, attrs }: Windows) {
  const [, , kernelHeight, kernelWidth] = asWeights(weight)
  const [dilationY, dilationX] = attrs.dilation
  const images = imagesOf(asImages(x), asImages(y), attrs.stride, attrs.padding)
  return { ...images, kernelHeight, kernelWidth, dilationY, dilationX }
}

/** The fields of all kernels of other convolutions. Windows of one pixel without gaps walk all pixels as those of one row. */
export function windowsOf(geometry: Windows) {
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

/** Channels of a panel. */
const PANEL = 8
/** With fewer, tiles are transformed for too few products. */
const FEWEST_CHANNELS = 16

/** So few tiles share each transformed weight that reading these takes longer; or transforming them, in each step that trains. */
const FEWEST_TILES = { fixed: 8, trained: 24 } as const

/** Tiles of Winograd's algorithm at once. */
export const TILES = 32

/** Whether Winograd's algorithm computes it, in all three directions. */
export const gainsByWinograd = (geometry: Geometry, { updates }: Graph): boolean =>
  hasWinograd(geometry) &&
  winogradTiles(geometry) >= FEWEST_TILES[updates.size > 0 ? 'trained' : 'fixed'] &&
  geometry.weight.slice(0, 2).every(channels => channels % PANEL === 0 && channels >= FEWEST_CHANNELS)
