/**
 * @file Which convolutions are computed by Winograd's algorithm, F(4×4, 3×3), by kernels of ours: it takes a quarter of the
 * multiplications, in transformed tiles. oneDNN 3.x has it no more.
 */
import {
  activationOf,
  elements,
  type Geometry,
  geometryOf,
  hasWinograd,
  kernelBytes,
  type Lowering,
  type Node,
  WINOGRAD_TILES,
  widen,
  winogradBackwards,
  winogradFields,
  winogradTiles,
  winogradWeightGradient,
  winogradWeightGradientByOutputs,
  writeFloats,
} from 'fovea/engine'
import type { Capabilities } from '../capabilities.js'
import type { OnednnTarget } from '../onednn-target.js'

const OPERATORS: readonly string[] = ['conv2d', 'conv2dInputGradient', 'conv2dWeightGradient']

/** Whatever a register holds. */
const LANES = 16
/** So few tiles share each transformed weight that reading these takes longer, the more so from memory. */
const FEWEST_TILES = { cached: 16, beyond: 48 } as const
const CACHED_BYTES = 16 << 20
/** Transformed weights beyond the second level of the cache are read for more tiles at once. */
const NEAR_BYTES = 4 << 20
const TILES = { near: 48, far: 96 } as const

const transformedBytes = ({ weight: [outputs, inputs] }: Geometry): number =>
  kernelBytes('winogradWeights', 'packed', { inputs, outputs })

/** @param node as it is in the graph */
export function gainsByWinograd(node: Node, { winograd }: Capabilities): boolean {
  const [x] = node.inputs
  if (!OPERATORS.includes(node.op) || !winograd.includes(x.type.dtype)) return false
  const geometry = geometryOf(node)
  return (
    hasWinograd(geometry) &&
    geometry.weight.slice(0, 2).every(channels => channels % LANES === 0) &&
    winogradTiles(geometry) >= FEWEST_TILES[transformedBytes(geometry) > CACHED_BYTES ? 'beyond' : 'cached']
  )
}

/** How many tiles at once: in blocks as equal as can be, as many for each thread, if there are enough. */
function tilesAtOnce(geometry: Geometry, threads: number): number {
  const count = winogradTiles(geometry)
  const most = transformedBytes(geometry) > NEAR_BYTES ? TILES.far : TILES.near
  const blocks = Math.ceil(count / most)
  const even = blocks > 1 ? Math.ceil(blocks / threads) * threads : 1
  return Math.ceil(count / even / WINOGRAD_TILES) * WINOGRAD_TILES
}

export function winogradForward({ layouts, threads }: OnednnTarget, to: Lowering, node: Node): void {
  const geometry = geometryOf(node)
  const [x, weight, bias, residual] = node.inputs
  const weights = to.read(weight, layouts.winograd(geometry.weight, false))
  const reads = { x: widen(to, x), weights, bias: bias && to.read(bias), residual: residual && widen(to, residual) }
  const fields = winogradFields(geometry, tilesAtOnce(geometry, threads))
  writeFloats(to, node, y =>
    to.kernel('winogradConvolution', { ...reads, y, activation: activationOf(node), ...fields }),
  )
}

export function winogradInputGradient({ layouts, threads }: OnednnTarget, to: Lowering, node: Node): void {
  const geometry = geometryOf(node)
  const [dy, weight] = node.inputs
  const reads = { x: widen(to, dy), weights: to.read(weight, layouts.winograd(geometry.weight, true)) }
  const fields = winogradBackwards(geometry, tilesAtOnce(geometry, threads))
  writeFloats(to, node, dx => to.kernel('winogradConvolution', { ...reads, y: dx, ...fields }))
}

export function winogradGradient({ threads }: OnednnTarget, to: Lowering, node: Node): void {
  const geometry = geometryOf(node)
  const images = 4 * (elements(geometry.x) + elements(geometry.y))
  if (transformedBytes(geometry) > images) winogradWeightGradientByOutputs(to, node, geometry)
  else winogradWeightGradient(to, node, geometry, tilesAtOnce(geometry, threads))
}
