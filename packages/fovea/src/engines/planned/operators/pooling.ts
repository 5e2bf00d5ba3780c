/** @file Max and average pooling (native/kernels/pool.h). */
import type { Node } from '../../../graph/graph.js'
import type { Shape } from '../../../graph/types.js'
import type { AveragePoolAttributes } from '../../../ops/average-pool.js'
import type { IntegerAveragePoolAttributes } from '../../../ops/integer-average-pool.js'
import type { PoolingAttributes } from '../../../ops/pooling.js'
import type { Lowering } from '../lowering.js'
import { imagesOf, type Lower } from './operator.js'

/** Where the windows lie; `x` and `y` are the shapes of the larger and the pooled image. */
function placesOf(node: Node, x: Shape, y: Shape) {
  const { kernel, stride, padding } = node.attrs as unknown as PoolingAttributes
  const [kernelHeight, kernelWidth] = kernel
  return { ...imagesOf(x, y, stride, padding), kernelHeight, kernelWidth }
}

const windows = (to: Lowering, node: Node, x: Shape, y: Shape) => ({
  ...placesOf(node, x, y),
  type: to.float(node.inputs[0].type),
})

const countPadding = (node: Node): boolean => (node.attrs as unknown as AveragePoolAttributes).countPadding

const maxPool: Lower = (to, node) => {
  const [x] = node.inputs
  const where = { ...placesOf(node, x.type.shape, node.outputs[0].shape), type: to.moved(x.type) }
  to.kernel('maxPool', { x: to.read(x), y: to.write(0), index: to.write(1), ...where })
}

const maxPoolGradient: Lower = (to, node) => {
  const [dy, index] = node.inputs
  const where = windows(to, node, node.outputs[0].shape, dy.type.shape)
  to.kernel('maxPoolGradient', { dy: to.read(dy), index: to.read(index), dx: to.write(), ...where })
}

const averagePool: Lower = (to, node) => {
  const [x] = node.inputs
  const where = windows(to, node, x.type.shape, node.outputs[0].shape)
  to.kernel('averagePool', { x: to.read(x), y: to.write(), ...where, countPadding: countPadding(node) })
}

const integerAveragePool: Lower = (to, node) => {
  const [x] = node.inputs
  const { input, output } = node.attrs as unknown as IntegerAveragePoolAttributes
  to.kernel('integerAveragePool', {
    ...{ x: to.read(x), y: to.write(), ...placesOf(node, x.type.shape, node.outputs[0].shape) },
    ...{ countPadding: countPadding(node), inputZeroPoint: input.zeroPoint, zeroPoint: output.zeroPoint },
    ...{ inputScale: input.scale, outputScale: output.scale },
  })
}

const averagePoolGradient: Lower = (to, node) => {
  const [dy] = node.inputs
  const where = windows(to, node, node.outputs[0].shape, dy.type.shape)
  to.kernel('averagePoolGradient', { dy: to.read(dy), dx: to.write(), ...where, countPadding: countPadding(node) })
}

export const pooling = {
  maxPool,
  maxPoolGradient,
  averagePool,
  integerAveragePool,
  averagePoolGradient,
} as const satisfies Record<string, Lower>
