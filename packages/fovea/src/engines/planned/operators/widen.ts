/** @file 16-bit tensors of layers that compute in float32: casts before and after. */
import { isHalf } from '../../../graph/float16.js'
import type { Node, Value } from '../../../graph/graph.js'
import { elements, type TensorType, tensorBytes } from '../../../graph/types.js'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'

export const asFloat32 = (type: TensorType): TensorType => ({ ...type, dtype: 'float32' })

export const isWide = (to: Lowering, value: Value): boolean => to.storage.storedType(value).dtype === 'float32'

/** The numbers of a 16-bit tensor in a float32 one. */
export function widen(to: Lowering, value: Value): Operand {
  if (isWide(to, value)) return to.read(value)
  const wide = to.temporary(tensorBytes(asFloat32(value.type)))
  widenInto(to, value, wide)
  return wide
}

export function widenInto(to: Lowering, value: Value, target: Operand): void {
  convert(to, to.read(value), to.storage.storedType(value), target, asFloat32(value.type))
}

/** Runs `compute` into a float32 tensor and rounds it into the node's output. */
export function narrowed(to: Lowering, type: TensorType, compute: (y: Operand) => void): void {
  const wide = to.temporary(tensorBytes(asFloat32(type)))
  compute(wide)
  convert(to, wide, asFloat32(type), to.write(), type)
}

/** Runs `compute` into a float32 tensor, which is the node's output or is rounded into it. */
export function writeFloats(to: Lowering, { outputs: [type] }: Node, compute: (y: Operand) => void): void {
  if (isHalf(type.dtype)) narrowed(to, type, compute)
  else compute(to.write())
}

function convert(to: Lowering, source: Operand, from: TensorType, target: Operand, into: TensorType): void {
  const types = { from: to.type(from), to: to.type(into) }
  to.kernel('cast', { x: source, y: target, elements: elements(from.shape), ...types })
}
