/** @file Elementwise arithmetic with broadcasting (native/kernels/map.h). */
import type { Node, Value } from '../../../graph/graph.js'
import { bytesPerElement, type Shape, sameShape } from '../../../graph/types.js'
import { type IntegerAddAttributes, type IntegerBinaryAttributes, stepsOf } from '../../../ops/integer-binary.js'
import type { ActivationScale } from '../../../ops/quantization.js'
import type { EnumerationName } from '../kernels/field.js'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import { broadcastStrides, collapse, type Walk } from './axes.js'
import { commonLayout, readIn } from './layout.js'
import { type Lower, outputOf } from './operator.js'

/** An input of a map: what holds it, and its shape, which is broadcast to the result's. */
export interface Mapped {
  readonly operand: Operand
  readonly shape: Shape
}

/** What all kernels of native/kernels/map.h take: the sizes of y's axes, and how each input walks along them. */
function walk(inputs: readonly Mapped[], y: Mapped): Walk {
  const strides = inputs.map(({ shape }) => broadcastStrides(shape, y.shape))
  return collapse(
    y.shape.map((size, axis) => ({ size, strides: strides.map(of => of[axis]) })),
    inputs.length,
  )
}

/** y = f(a, b), element by element, all of the type of the node's first input. */
export function binary(
  to: Lowering,
  node: Node,
  operation: EnumerationName<'BinaryOperation'>,
  [a, b]: readonly Mapped[],
  y: Mapped,
): void {
  const { dims, strides } = walk([a, b], y)
  to.kernel('binary', {
    ...{ a: a.operand, b: b.operand, y: y.operand },
    ...{ operation, type: to.float(node.inputs[0].type), dims, aStrides: strides[0], bStrides: strides[1] },
  })
}

function multiplyAdd(to: Lowering, node: Node, [a, b, c]: readonly Mapped[], y: Mapped): void {
  const { dims, strides } = walk([a, b, c], y)
  to.kernel('multiplyAdd', {
    ...{ a: a.operand, b: b.operand, c: c.operand, y: y.operand, type: to.float(node.inputs[0].type) },
    ...{ dims, aStrides: strides[0], bStrides: strides[1], cStrides: strides[2] },
  })
}

const quantizedProduct: Lower = (to, node) => {
  const [a, b] = node.inputs.map(input => ({ operand: to.read(input), shape: input.type.shape }))
  const y = { operand: to.write(), shape: node.outputs[0].shape }
  const { dims, strides } = walk([a, b], y)
  const { scale, zeroPoint } = node.attrs as unknown as ActivationScale
  to.kernel('quantizedProduct', {
    ...{ a: a.operand, b: b.operand, y: y.operand },
    ...{ dims, aStrides: strides[0], bStrides: strides[1], zeroPoint, outputScale: scale },
  })
}

/** What kernels of two tensors of integers take. */
function integers(to: Lowering, node: Node) {
  const [a, b] = node.inputs.map(input => ({ operand: to.read(input), shape: input.type.shape }))
  const y = { operand: to.write(), shape: node.outputs[0].shape }
  const { dims, strides } = walk([a, b], y)
  const of = node.attrs as unknown as IntegerBinaryAttributes
  return {
    ...{ a: a.operand, b: b.operand, y: y.operand, dims, aStrides: strides[0], bStrides: strides[1] },
    ...{ aZeroPoint: of.a.zeroPoint, bZeroPoint: of.b.zeroPoint, zeroPoint: of.output.zeroPoint },
  }
}

const integerAdd: Lower = (to, node) => {
  const { a, b, output, activation } = node.attrs as unknown as IntegerAddAttributes
  const factors = { aFactor: stepsOf(a, output), bFactor: stepsOf(b, output) }
  to.kernel('integerAdd', { ...integers(to, node), relu: activation === 'relu', ...factors })
}

const integerMultiply: Lower = (to, node) => {
  const { a, b, output } = node.attrs as unknown as IntegerBinaryAttributes
  to.kernel('integerMultiply', { ...integers(to, node), factor: (a.scale * b.scale) / output.scale })
}

/** y = factor·x. */
function scale(to: Lowering, x: Value, factor: number, shape: Shape): void {
  const from = { operand: to.read(x), shape: x.type.shape }
  const y = { operand: to.write(), shape }
  const { dims, strides } = walk([from], y)
  to.kernel('scale', { x: from.operand, y: y.operand, type: to.float(x.type), dims, strides: strides[0], factor })
}

/** Which inputs are added. A single number that is added to each would not leave what pads a layout 0. */
const added = { add: [0, 1], multiply: [], multiplyAdd: [2] } as const

const elementwise =
  (operation: keyof typeof added): Lower =>
  (to, node) => {
    const compute = (inputs: readonly Mapped[], y: Mapped): void =>
      operation === 'multiplyAdd' ? multiplyAdd(to, node, inputs, y) : binary(to, node, operation, inputs, y)
    const like = outputOf(node)
    const { shape, dtype } = like.type
    const isLike = (input: Value): boolean => sameShape(input.type.shape, shape)
    const keepsZeros = added[operation].every(i => isLike(node.inputs[i]))
    const common = keepsZeros ? commonLayout(to, node, like) : undefined
    if (common === undefined) {
      const inputs = node.inputs.map(input => ({ operand: to.read(input), shape: input.type.shape }))
      return compute(inputs, { operand: to.write(), shape })
    }
    const { layout, bytes, groups } = common
    const all = [bytes / bytesPerElement(dtype)]
    const operands = readIn(common, to, node, like)
    const inputs = node.inputs.map((input, i) => ({ operand: operands[i], shape: isLike(input) ? all : [] }))
    compute(inputs, { operand: to.write(0, layout, bytes, groups), shape: all })
  }

const broadcastTo: Lower = (to, node) => scale(to, node.inputs[0], 1, node.outputs[0].shape)

/** Each pixel's share of the gradient of the mean. */
const globalAveragePoolGradient: Lower = (to, node) => {
  const { shape } = node.outputs[0]
  const [, height, width] = shape
  scale(to, node.inputs[0], 1 / (height * width), shape)
}

export const broadcast = {
  add: elementwise('add'),
  multiply: elementwise('multiply'),
  multiplyAdd: elementwise('multiplyAdd'),
  integerAdd,
  integerMultiply,
  quantizedProduct,
  broadcastTo,
  globalAveragePoolGradient,
} as const satisfies Record<string, Lower>
