/**
 * @file Convolutions and linear layers by kernels of ours (native/kernels/convolution.h and its neighbours), in float32: 16-bit tensors
 * are cast before and after. Weights are read packed.
 */
import { geometryOf } from '../operators/geometry.js'
import { activationOf, type Lower, onWhole } from '../operators/operator.js'
import { widen, writeFloats } from '../operators/widen.js'
import { winogradBackwards, winogradFields } from '../operators/winograd.js'
import type { Target } from '../target.js'
import { integerConv2d } from './integer-convolution.js'
import type { PackedWeights } from './packed-weights.js'
import { weightGradient } from './weight-gradient.js'
import { depthwiseWindows, gainsByWinograd, isDepthwise, TILES, windowsOf } from './windows.js'

const forward =
  (layouts: PackedWeights): Lower =>
  (to, node) => {
    const [x, weight, bias, residual] = node.inputs
    const geometry = geometryOf(node)
    const { groups } = geometry.attrs
    to.float(x.type)
    writeFloats(to, node, y => {
      const added = { bias: bias && to.read(bias), residual: residual && widen(to, residual) }
      const computed = { x: widen(to, x), ...added, y, activation: activationOf(node) }
      if (isDepthwise(geometry)) {
        const weights = to.read(weight, layouts.byTap(geometry.weight), groups)
        to.kernel('depthwiseConvolution', { ...computed, weights, ...depthwiseWindows(geometry) })
      } else if (gainsByWinograd(geometry, to.graph)) {
        const weights = to.read(weight, layouts.winograd(geometry.weight, false), groups)
        to.kernel('winogradConvolution', { ...computed, weights, ...winogradFields(geometry, TILES) })
      } else {
        const weights = to.read(weight, layouts.panels(geometry.weight, groups, false), groups)
        to.kernel('convolution', { ...computed, weights, ...windowsOf(geometry) })
      }
    })
  }

const inputGradient =
  (layouts: PackedWeights): Lower =>
  (to, node) => {
    const [dy, weight] = node.inputs
    const geometry = geometryOf(node)
    const { groups } = geometry.attrs
    writeFloats(to, node, dx => {
      if (isDepthwise(geometry)) {
        const weights = to.read(weight, layouts.byTap(geometry.weight), groups)
        to.kernel('depthwiseInputGradient', { dy: widen(to, dy), weights, dx, ...depthwiseWindows(geometry) })
      } else if (gainsByWinograd(geometry, to.graph)) {
        const windows = winogradBackwards(geometry, TILES)
        const weights = to.read(weight, layouts.winograd(geometry.weight, true), groups)
        to.kernel('winogradConvolution', { x: widen(to, dy), weights, y: dx, ...windows })
      } else {
        const weights = to.read(weight, layouts.panels(geometry.weight, groups, true), groups)
        to.kernel('convolutionInputGradient', { dy: widen(to, dy), weights, dx, ...windowsOf(geometry) })
      }
    })
  }

/** A linear layer is one product of matrices for the whole batch. */
export function convolutionsOf(layouts: PackedWeights): Target['convolutions'] {
  return {
    conv2d: forward(layouts),
    linear: onWhole(forward(layouts)),
    integerConv2d: integerConv2d(layouts),
    conv2dInputGradient: inputGradient(layouts),
    linearInputGradient: onWhole(inputGradient(layouts)),
    conv2dWeightGradient: { lower: weightGradient, inSlices: () => true },
    linearWeightGradient: onWhole(weightGradient),
  }
}
