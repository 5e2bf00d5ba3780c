/** @file Elementwise arithmetic with broadcasting (native/kernels/map.h). */
import { bytesPerElement, type Node, type Shape, sameShape, type Value } from 'fovea/engine'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import { broadcastStrides, collapse, flat } from './axes.js'
import { commonLayout, readIn } from './layout.js'
import { type Lower, output } from './operator.js'

/** MapOperation of native/kernels/map.h. */
const operations = { add: 0, multiply: 1, multiplyAdd: 2, scale: 3, equal: 4, divide: 5 } as const

/** An input of a map: what holds it, and its shape, which is broadcast to the result's. */
export interface Mapped {
  readonly operand: Operand
  readonly shape: Shape
}

/** y = f(inputs), element by element, all of the type of the node's first input. `scale` is what `scale` multiplies by. */
export function map(
  to: Lowering,
  node: Node,
  operation: keyof typeof operations,
  inputs: readonly Mapped[],
  y: Mapped,
  scale = 1,
): void {
  const strides = inputs.map(({ shape }) => broadcastStrides(shape, y.shape))
  const axes = collapse(
    y.shape.map((size, axis) => ({ size, strides: strides.map(of => of[axis]) })),
    inputs.length,
  )
  to.kernel('map', {
    reads: inputs.map(({ operand }) => operand),
    writes: [y.operand],
    ints: [operations[operation], to.float(node.inputs[0].type), axes.length, ...flat(axes)],
    floats: [scale],
  })
}

/** Which inputs are added. A single number that is added to each would not leave what pads a layout 0. */
const added = { add: [0, 1], multiply: [], multiplyAdd: [2] } as const

const elementwise =
  (operation: keyof typeof added): Lower =>
  (to, node) => {
    const like = output(node)
    const { shape, dtype } = like.type
    const isLike = (input: Value): boolean => sameShape(input.type.shape, shape)
    const keepsZeros = added[operation].every(i => isLike(node.inputs[i]))
    const common = keepsZeros ? commonLayout(to, node, like) : undefined
    if (common === undefined) {
      const inputs = node.inputs.map(input => ({ operand: to.read(input), shape: input.type.shape }))
      return map(to, node, operation, inputs, { operand: to.write(), shape })
    }
    const { layout, bytes, groups } = common
    const all = [bytes / bytesPerElement(dtype)]
    const operands = readIn(common, to, node, like)
    const inputs = node.inputs.map((input, i) => ({ operand: operands[i], shape: isLike(input) ? all : [] }))
    map(to, node, operation, inputs, { operand: to.write(0, layout, bytes, groups), shape: all })
  }

const broadcastTo: Lower = (to, node) => {
  const [x] = node.inputs
  const y = { operand: to.write(), shape: node.outputs[0].shape }
  map(to, node, 'scale', [{ operand: to.read(x), shape: x.type.shape }], y)
}

/** Each pixel's share of the gradient of the mean. */
const globalAveragePoolGradient: Lower = (to, node) => {
  const [dy] = node.inputs
  const { shape } = node.outputs[0]
  const [, height, width] = shape
  const inputs = [{ operand: to.read(dy), shape: dy.type.shape }]
  map(to, node, 'scale', inputs, { operand: to.write(), shape }, 1 / (height * width))
}

export const broadcast = {
  add: elementwise('add'),
  multiply: elementwise('multiply'),
  multiplyAdd: elementwise('multiplyAdd'),
  broadcastTo,
  globalAveragePoolGradient,
} as const satisfies Record<string, Lower>
