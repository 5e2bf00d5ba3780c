/**
 * @file Which convolutions are computed by Winograd's algorithm (Lavin and Gray 2016, arXiv 1509.09308): F(4×4, 3×3) takes a
 * quarter of the multiplications, in transformed tiles. oneDNN has it in float32 for AVX-512; an error is about four times
 * that of the direct way, and far from what training notices.
 */
import type { Conv2dAttributes, DType, Node } from 'fovea/engine'

const OPERATORS: readonly string[] = ['conv2d', 'conv2dInputGradient', 'conv2dWeightGradient']

/** So few channels take longer to transform than they save; oneDNN wants whole vectors of them. */
const FEWEST_CHANNELS = 32
const LANES = 16
/** So few tiles of the batch share each transformed weight that reading these takes longer. */
const FEWEST_TILES = 64
const TILE = 4

/**
 * @param types that are computed in float32
 * @returns whether the node is a 3×3 convolution of stride 1, or a gradient of one, that gains
 */
export function gainsByWinograd(node: Node, types: readonly DType[]): boolean {
  const [x] = node.inputs
  if (!OPERATORS.includes(node.op) || !types.includes(x.type.dtype)) return false
  const { stride, dilation, groups } = node.attrs as unknown as Conv2dAttributes
  const weight = node.op === 'conv2dWeightGradient' ? node.outputs[0].shape : node.inputs[1].type.shape
  const [outputs, inputs, height, width] = weight
  const plain = groups === 1 && [...stride, ...dilation].every(step => step === 1)
  const wide = [outputs, inputs].every(channels => channels >= FEWEST_CHANNELS && channels % LANES === 0)
  const [images, rows, columns] = x.type.shape
  const tiles = images * Math.ceil(rows / TILE) * Math.ceil(columns / TILE)
  return plain && wide && height === 3 && width === 3 && tiles >= FEWEST_TILES
}
