/**
 * @file Convolutions of 3×3 windows by Winograd's algorithm (Lavin and Gray 2016, arXiv 1509.09308), by kernels of ours
 * (native/kernels/winograd.h): what they are told, and the gradient by weights. Targets choose which convolutions are computed so.
 */
import type { Node } from '../../../graph/graph.js'
import type { Shape } from '../../../graph/types.js'
import { kernelBytes } from '../kernels/emit.js'
import { constants } from '../kernels/table.js'
import type { Lowering } from '../lowering.js'
import { asImages, asWeights, type Geometry } from './geometry.js'
import { imagesOf } from './operator.js'
import { widen } from './widen.js'

/** Kernels take so many tiles at a time. */
export const WINOGRAD_TILES = 8

const side = constants.winogradResults

/** Height and width of the results: those of the gradient by the input are its images. */
const resultSize = ({ direction, x, y }: Geometry): Shape => asImages(direction === 'inputGradient' ? x : y).slice(1, 3)

/**
 * Whether Winograd's algorithm can compute it, if its channels are whole vectors, in fewer multiplications: tiles that are less than
 * half full, as images of 2×2 or 5×5 leave them, save little.
 */
export function hasWinograd(geometry: Geometry): boolean {
  const { weight, attrs } = geometry
  const { groups, stride, dilation, padding } = attrs
  const [, , ...window] = asWeights(weight)
  const full = resultSize(geometry).reduce((share, size) => share * (size / (Math.ceil(size / side) * side)), 1)
  return (
    full >= 0.5 &&
    groups === 1 &&
    [...stride, ...dilation].every(n => n === 1) &&
    window.every(n => n === 3) &&
    padding.every(pixels => pixels <= 2)
  )
}

/** How many tiles all images have. */
export const winogradTiles = (geometry: Geometry): number =>
  resultSize(geometry).reduce((tiles, size) => tiles * Math.ceil(size / side), geometry.x[0])

/** The fields of its kernels, but for the gradient by the input. @param tiles at once, a multiple of WINOGRAD_TILES */
export function winogradFields({ x, y, weight, attrs }: Geometry, tiles: number) {
  const { images, height, width, outHeight, outWidth, top, left } = imagesOf(
    asImages(x),
    asImages(y),
    attrs.stride,
    attrs.padding,
  )
  const [outputs, inputs] = weight
  return { images, height, width, outHeight, outWidth, top, left, inputs, outputs, tiles }
}

/** Those of the gradient by the input: a convolution of the output's gradient, by the windows turned around. */
export function winogradBackwards(geometry: Geometry, tiles: number) {
  const { height, width, outHeight, outWidth, top, left, inputs, outputs, ...rest } = winogradFields(geometry, tiles)
  return {
    ...{ ...rest, height: outHeight, width: outWidth, outHeight: height, outWidth: width },
    ...{ top: 2 - top, left: 2 - left, inputs: outputs, outputs: inputs },
    ...{ bias: undefined, residual: undefined, activation: 'none' as const },
  }
}

/** The gradient by weights: threads, and slices of the batch, add up. Sums stay transformed until all tiles are in them. */
export function winogradWeightGradient(to: Lowering, node: Node, geometry: Geometry, tiles: number): void {
  const [x, dy] = node.inputs
  const fields = winogradFields(geometry, tiles)
  const { inputs, outputs } = fields
  const sums = to.partial(kernelBytes('winogradWeightGradientMerge', 'sums', { inputs, outputs }))
  to.kernel('winogradWeightGradient', { x: widen(to, x), dy: widen(to, dy), sums, ...fields, bias: geometry.bias })
  const db = geometry.bias ? to.write(1) : undefined
  to.sharedKernel('winogradWeightGradientMerge', { sums, dw: to.write(0), db, inputs, outputs })
}

/** The same on the whole batch, where weights are larger than images: threads share outputs, and there are no sums of all weights. */
export function winogradWeightGradientByOutputs(to: Lowering, node: Node, geometry: Geometry): void {
  const [x, dy] = node.inputs
  const tiles = Math.ceil(winogradTiles(geometry) / WINOGRAD_TILES) * WINOGRAD_TILES
  const fields = winogradFields(geometry, tiles)
  const transformed = to.temporary(kernelBytes('winogradWeightGradientByOutputs', 'transformed', fields))
  const gradient = { x: widen(to, x), dy: widen(to, dy), transformed }
  const db = geometry.bias ? to.write(1) : undefined
  to.kernel('winogradWeightGradientByOutputs', { ...gradient, dw: to.write(0), db, ...fields })
}
