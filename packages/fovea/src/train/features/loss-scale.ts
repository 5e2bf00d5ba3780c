/**
 * @file Dynamic loss scaling for float16, whose smallest number is 6e-8: the loss is multiplied by a scale that is as large
 * as the gradients allow. Micikevicius et al. 2018 (arXiv 1710.03740), section 3.2, with the numbers of PyTorch's GradScaler.
 */

import type { Value } from '../../graph/graph.js'
import type { StepBuilder } from '../step-builder.js'
import type { LossScaleState } from '../training-state.js'

const INITIAL_SCALE = 65_536
/** After so many good steps the scale is doubled. */
const GROWTH_STEPS = 2000
/** Of float32, in which the scale is fed and gradients are added up. */
const LARGEST_SCALE = 2 ** 120

/** Below it gradients that fit would vanish; a run whose gradients do not fit even so skips every step, and says so. */
const SMALLEST_SCALE = 2 ** -24

export const initialLossScale: LossScaleState = { scale: INITIAL_SCALE, goodSteps: 0, skippedSteps: 0 }

/** The state after a step: halved on overflow, doubled after a long time without. */
export function nextLossScale({ scale, goodSteps, skippedSteps }: LossScaleState, finite: boolean): LossScaleState {
  if (!finite) return { scale: Math.max(scale / 2, SMALLEST_SCALE), goodSteps: 0, skippedSteps: skippedSteps + 1 }
  const grows = goodSteps + 1 === GROWTH_STEPS
  const grown = grows ? Math.min(2 * scale, LARGEST_SCALE) : scale
  return { scale: grown, goodSteps: grows ? 0 : goodSteps + 1, skippedSteps }
}

/** The scalar by which a step's loss is multiplied. */
export const lossScaleIn = (builder: StepBuilder): Value =>
  builder.scalar('lossScale', ({ lossScale }) => lossScale.scale)
