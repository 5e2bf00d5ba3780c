/**
 * @file Convolutions and linear layers by kernels of ours (native/convolution.h and its neighbours), in float32: 16-bit tensors are
 * cast before and after. Weights are read packed.
 */
import {
  activationOf,
  geometryOf,
  isHalf,
  type Lower,
  type Lowering,
  type Node,
  narrowed,
  type Operand,
  onWhole,
  type Target,
  widen,
} from 'fovea/engine'
import type { Layouts } from '../layouts.js'
import { convolve } from './convolve.js'
import { integerConv2d } from './integer-convolution.js'
import { weightGradient } from './weight-gradient.js'
import { depthwiseWindows, hasWinograd, isDepthwise, windowsOf, winogradBackwards } from './windows.js'

/** Runs `compute` into a float32 tensor, which is the node's output or is rounded into it. */
function writeFloats(to: Lowering, { outputs: [type] }: Node, compute: (y: Operand) => void): void {
  if (isHalf(type.dtype)) narrowed(to, type, compute)
  else compute(to.write())
}

const forward =
  (layouts: Layouts): Lower =>
  (to, node) => {
    const [x, weight, bias, residual] = node.inputs
    to.float(x.type)
    writeFloats(to, node, y =>
      convolve(layouts, to, geometryOf(node), {
        ...{ x: widen(to, x), weight, bias: bias && to.read(bias), residual: residual && widen(to, residual) },
        ...{ y, activation: activationOf(node) },
      }),
    )
  }

const inputGradient =
  (layouts: Layouts): Lower =>
  (to, node) => {
    const [dy, weight] = node.inputs
    const geometry = geometryOf(node)
    const { groups } = geometry.attrs
    writeFloats(to, node, dx => {
      if (isDepthwise(geometry)) {
        const weights = to.read(weight, layouts.byTap(geometry.weight), groups)
        to.kernel('depthwiseInputGradient', { dy: widen(to, dy), weights, dx, ...depthwiseWindows(geometry) })
      } else if (hasWinograd(geometry)) {
        const weights = to.read(weight, layouts.winograd(geometry.weight, true), groups)
        const windows = winogradBackwards(geometry)
        to.kernel('winogradConvolution', {
          x: widen(to, dy),
          weights,
          bias: undefined,
          residual: undefined,
          y: dx,
          activation: 'none',
          ...windows,
        })
      } else {
        const weights = to.read(weight, layouts.panels(geometry.weight, groups, true), groups)
        to.kernel('convolutionInputGradient', { dy: widen(to, dy), weights, dx, ...windowsOf(geometry) })
      }
    })
  }

/** A linear layer is one product of matrices for the whole batch. */
export function convolutionsOf(layouts: Layouts): Target['convolutions'] {
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
