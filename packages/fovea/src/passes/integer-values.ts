/** @file Values that stand for integers: what a `dequantize` makes of them, moved and compared or not. */
import type { Node, Value } from '../graph/graph.js'
import { isSelection, opDefinition } from '../ops/index.js'
import type { ActivationScale } from '../ops/quantization.js'
import type { RewriteContext } from './rewrite.js'

export const isQuantizeToUint8 = (node: Node): boolean =>
  node.op === 'quantize' && node.outputs[0].dtype === 'uint8' && scaleAt(node) !== undefined

/** One scale for all of a tensor, if both it and the zero point are constants of the graph. */
export function scaleAt({ inputs: [, scale, zeroPoint], attrs }: Node): ActivationScale | undefined {
  const numbers = [scale, zeroPoint].map(value => value?.node.op === 'constant' && value.node.attrs['value'])
  const [first, second] = numbers
  return attrs['axis'] === null && typeof first === 'number' && typeof second === 'number'
    ? { scale: first, zeroPoint: second }
    : undefined
}

/** An activation as integers: what a `dequantize` reads, moved as its numbers are. */
export interface Integers {
  readonly source: Node
  readonly scale: ActivationScale
}

export function integersOf({ node, index }: Value): Integers | undefined {
  if (node.op === 'dequantize') {
    const scale = scaleAt(node)
    return scale && node.inputs[0].type.dtype === 'uint8' ? { source: node, scale } : undefined
  }
  return isSelection(node) && index === 0 ? integersOf(node.inputs[0]) : undefined
}

/**
 * Finds the integers of activations in the new graph, and moves them by the same steps as their numbers.
 * @param moved those that were moved before
 */
export function movingIntegers({ builder, mapped }: RewriteContext, moved: Map<Node, Value>) {
  return function integers({ node }: Value, scale: ActivationScale): Value {
    if (node.op === 'dequantize') return mapped(node.inputs[0])
    const made = moved.get(node)
    if (made !== undefined) return made
    const attrs = node.op === 'pad' ? { ...node.attrs, value: scale.zeroPoint } : node.attrs
    const x = integers(node.inputs[0], scale)
    const result = builder.emit(opDefinition(node.op), [x], attrs, `${node.name}.uint8`)
    moved.set(node, result)
    return result
  }
}
