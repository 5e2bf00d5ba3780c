/** @file The gradients of a step, as they come from autodiff and as what uses them takes them. */
import type { Value } from '../../graph/graph.js'
import type { StepBuilder } from '../step-builder.js'

/** A parameter and the loss's gradient by it. */
export interface ParameterGradient {
  readonly parameter: Value
  readonly gradient: Value
}

/**
 * The seam between autodiff and all that uses gradients: what stands here makes others of them, one for each parameter. A run
 * on several machines takes their mean here.
 */
export type CombineGradients = (
  builder: StepBuilder,
  gradients: readonly ParameterGradient[],
) => readonly ParameterGradient[]
