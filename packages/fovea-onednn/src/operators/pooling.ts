/** @file Max and average pooling (native/kernels/pool.h). */
import type { AveragePoolAttributes, Node, PoolingAttributes, Shape } from 'fovea/engine'
import type { Lowering } from '../lowering.js'
import type { Lower } from './operator.js'

/** The kernels' numbers; `x` and `y` are the shapes of the larger and the pooled image. */
function windows(to: Lowering, node: Node, x: Shape, y: Shape): number[] {
  const { kernel, stride, padding } = node.attrs as unknown as PoolingAttributes
  return [...x, y[1], y[2], ...kernel, ...stride, padding[0], padding[2], to.float(node.inputs[0].type)]
}

const countPadding = (node: Node): number => ((node.attrs as unknown as AveragePoolAttributes).countPadding ? 1 : 0)

const maxPool: Lower = (to, node) => {
  const [x] = node.inputs
  const ints = windows(to, node, x.type.shape, node.outputs[0].shape)
  to.kernel('maxPool', { reads: [to.read(x)], writes: [to.write(0), to.write(1)], ints })
}

const maxPoolGradient: Lower = (to, node) => {
  const [dy, index] = node.inputs
  const ints = windows(to, node, node.outputs[0].shape, dy.type.shape)
  to.kernel('maxPoolGradient', { reads: [to.read(dy), to.read(index)], writes: [to.write()], ints })
}

const averagePool: Lower = (to, node) => {
  const [x] = node.inputs
  const ints = [...windows(to, node, x.type.shape, node.outputs[0].shape), countPadding(node)]
  to.kernel('averagePool', { reads: [to.read(x)], writes: [to.write()], ints })
}

const averagePoolGradient: Lower = (to, node) => {
  const [dy] = node.inputs
  const ints = [...windows(to, node, node.outputs[0].shape, dy.type.shape), countPadding(node)]
  to.kernel('averagePoolGradient', { reads: [to.read(dy)], writes: [to.write()], ints })
}

export const pooling = {
  maxPool,
  maxPoolGradient,
  averagePool,
  averagePoolGradient,
} as const satisfies Record<string, Lower>
