/** @file A convolution in the forward direction, of floats: what layers of floats and of integers have in common. */
import { type activationOf, type Geometry, type Lowering, type Operand, type Value, winogradFields } from 'fovea/engine'
import type { Layouts } from '../layouts.js'
import { depthwiseWindows, gainsByWinograd, isDepthwise, TILES, windowsOf } from './windows.js'

/** What a convolution computes of its windows' products. */
export interface Computed {
  readonly x: Operand
  readonly weight: Value
  readonly bias?: Operand | undefined
  readonly residual?: Operand | undefined
  readonly y: Operand
  readonly activation: ReturnType<typeof activationOf>
  /**
   * Whether sums of whole numbers must be whole: Winograd's algorithm computes with parts of them. A float holds each whole number up
   * to 2^24; sums beyond are rounded all the same.
   */
  readonly exact?: true
}

/** Emits a convolution in the forward direction. */
export function convolve(layouts: Layouts, to: Lowering, geometry: Geometry, computed: Computed): void {
  const { weight, attrs } = geometry
  const { x, bias, residual, y, activation, exact } = computed
  const packed = (layout: number): Operand => to.read(computed.weight, layout, attrs.groups)
  if (isDepthwise(geometry)) {
    const weights = packed(layouts.byTap(weight))
    to.kernel('depthwiseConvolution', { x, weights, bias, residual, y, activation, ...depthwiseWindows(geometry) })
  } else if (!exact && gainsByWinograd(geometry, to.graph)) {
    const windows = winogradFields(geometry, TILES)
    const weights = packed(layouts.winograd(weight, false))
    to.kernel('winogradConvolution', { x, weights, bias, residual, y, activation, ...windows })
  } else {
    const weights = packed(layouts.panels(weight, attrs.groups, false))
    to.kernel('convolution', { x, weights, bias, residual, y, activation, ...windowsOf(geometry) })
  }
}
