/** @file The table of all operators' cases. */
import * as arithmetic from './arithmetic.js'
import type { OperatorCase, OperatorSpec } from './case.js'
import * as convolution from './convolution.js'
import * as fakeQuantize from './fake-quantize.js'
import * as integerArithmetic from './integer-arithmetic.js'
import * as integersBetween from './integers-between.js'
import * as linear from './linear.js'
import * as losses from './losses.js'
import * as normalization from './normalization.js'
import * as pooling from './pooling.js'
import * as quantization from './quantization.js'
import { randomSpecs } from './random.js'
import * as shape from './shape.js'
import * as updates from './updates.js'

export { caseGraph, type OperatorCase, someIndices } from './case.js'

export const operatorSpecs: readonly OperatorSpec[] = [
  convolution,
  linear,
  normalization,
  pooling,
  arithmetic,
  shape,
  quantization,
  integerArithmetic,
  integersBetween,
  fakeQuantize,
  { randomSpecs },
  losses,
  updates,
].flatMap(family => Object.values<OperatorSpec | readonly OperatorSpec[]>(family).flat() as OperatorSpec[])

/** Every sample of every operator. */
export const operatorCases: readonly OperatorCase[] = operatorSpecs.flatMap(({ op, differentiable, samples }) =>
  samples.map(sample => ({ ...sample, op, differentiable })),
)
