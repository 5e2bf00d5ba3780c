/** @file How operators say what they do with the images of a batch: see `BatchRoles` in define.ts. */
import type { TensorType } from '../graph/types.js'
import type { BatchRoles } from './define.js'

/** These inputs and outputs have a part for each image; the other outputs hold what all images come to. */
export const perImage =
  (inputs: readonly number[], outputs: readonly number[] = [0]) =>
  (): BatchRoles => ({ inputs, outputs })

/** Images are mixed in every output, or there are none, as in an update of weights. */
export const noImages = (): undefined => undefined

/** As `perImage`, for inputs that are broadcast to the output: those with an image for each of the output's. */
export function perBroadcastImage(
  inputs: readonly TensorType[],
  [{ shape }]: readonly TensorType[],
): BatchRoles | undefined {
  if (shape.length === 0) return undefined
  const isWhole = (input: TensorType) => input.shape.length === shape.length && input.shape[0] === shape[0]
  return { inputs: inputs.flatMap((input, i) => (isWhole(input) ? [i] : [])), outputs: [0] }
}
