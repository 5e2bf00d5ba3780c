/** @file The table of lowerings: the compiler asks for a row for every operator, and the target for those of its convolutions. */
import type { OpName } from '../../../ops/index.js'
import type { ConvolutionOp, Target } from '../target.js'
import { activations } from './activation.js'
import { batchNorms } from './batch-norm.js'
import { broadcast } from './broadcast.js'
import { casts } from './cast.js'
import { losses } from './loss.js'
import { movement } from './movement.js'
import type { LoweringEntry } from './operator.js'
import { pooling } from './pooling.js'
import { quantizations } from './quantization.js'
import { randoms } from './random.js'
import { reduction } from './reduction.js'
import { updates } from './update.js'

const shared: Readonly<Record<Exclude<OpName, ConvolutionOp>, LoweringEntry>> = {
  ...activations,
  ...batchNorms,
  ...broadcast,
  ...casts,
  ...losses,
  ...movement,
  ...pooling,
  ...quantizations,
  ...randoms,
  ...reduction,
  ...updates,
}

export function loweringOf(op: OpName, { convolutions }: Target): LoweringEntry {
  const own: Readonly<Partial<Record<OpName, LoweringEntry>>> = convolutions
  return own[op] ?? shared[op as Exclude<OpName, ConvolutionOp>]
}
