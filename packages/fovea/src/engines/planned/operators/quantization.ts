/** @file Between floats and the integers that stand for them (native/kernels/quantization.h). */
import type { Node, Value } from '../../../graph/graph.js'
import { type ScaleAttributes, scaleRuns } from '../../../ops/quantization.js'
import type { QuantizeAttributes } from '../../../ops/quantize.js'
import type { Lowering } from '../lowering.js'
import type { Lower } from './operator.js'

/** What both kernels take: the input and its scales, and how many elements in a row share one. */
function scaled(to: Lowering, node: Node) {
  const [x, scale, zeroPoint] = node.inputs as readonly [Value, Value, Value?]
  const runs = scaleRuns(x.type, node.attrs as unknown as ScaleAttributes)
  const operands = { x: to.read(x), scale: to.read(scale), zeroPoint: zeroPoint && to.read(zeroPoint) }
  return { ...operands, y: to.write(), ...runs }
}

const quantize: Lower = (to, node) => {
  const { dtype } = node.attrs as unknown as QuantizeAttributes
  to.kernel('quantize', { ...scaled(to, node), from: to.float(node.inputs[0].type), to: dtype })
}

const dequantize: Lower = (to, node) => {
  const { dtype } = node.inputs[0].type
  to.kernel('dequantize', { ...scaled(to, node), from: dtype as QuantizeAttributes['dtype'] })
}

export const quantizations = { quantize, dequantize } as const satisfies Record<string, Lower>
