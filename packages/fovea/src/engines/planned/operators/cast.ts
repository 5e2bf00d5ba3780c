/** @file From one type to another (native/kernels/cast.h). */
import type { Node } from '../../../graph/graph.js'
import { elements } from '../../../graph/types.js'
import type { Lowering } from '../lowering.js'
import { type Lower, outputOf } from './operator.js'

const convert: Lower = (to, node, whole) => {
  const [x] = node.inputs
  const y = outputOf(node)
  if (x.type.dtype === y.type.dtype) {
    to.read(x)
    to.alias(0, x)
    return
  }
  // A weight is converted by the reorder into the layout of the primitive that reads it.
  if (readOnlyAsWeight(to, whole)) {
    to.alias(0, x)
    return
  }
  const types = { from: to.type(x.type), to: to.type(y.type) }
  to.kernel('cast', { x: to.read(x), y: to.write(), elements: elements(x.type.shape), ...types })
}

const weightReaders = ['conv2d', 'linear', 'conv2dInputGradient', 'linearInputGradient']

const readOnlyAsWeight = (to: Lowering, node: Node): boolean =>
  !to.storage.isOutput(node) &&
  to.graph.nodes.every(
    reader =>
      !reader.inputs.some(input => input.node === node) ||
      (weightReaders.includes(reader.op) && reader.inputs[1].node === node),
  )

export const casts = { cast: convert } as const satisfies Record<string, Lower>
