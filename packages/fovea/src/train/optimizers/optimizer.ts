/** @file What an optimizer is to the training graph: it adds, for one parameter, the nodes of one step. */
import type { Value } from '../../graph/graph.js'
import { number } from '../../settings/kinds.js'
import { type StepBuilder, stepsBefore } from '../step-builder.js'

export interface OptimizerContext {
  readonly builder: StepBuilder
  /** A scalar by which gradients are multiplied; 0 where the step does not count. */
  readonly scale: Value
  /** A scalar, fed at every step. */
  readonly learningRate: Value
  /** The parameter's own, instead of the optimizer's. */
  readonly weightDecay: number | undefined
}

/** Adds an update of `parameter` and of its slots (buffers named `<parameter>:<slot>`). */
export type Optimizer = (context: OptimizerContext, parameter: Value, gradient: Value) => void

/** The number of the step, from 1, a scalar: of those that count. */
export const stepNumber = ({ builder }: OptimizerContext): Value =>
  builder.scalar('step', moment => stepsBefore(moment) + 1 - moment.lossScale.skippedSteps)

/** How much of its past a mean over the steps keeps. */
export const decaying = (about: string) => number(about, { from: 0, below: 1 })

/** Of weights: biases and norms have none. */
export const weightDecaySetting = number('pulls weights towards zero', { from: 0 })

/** Decay pulls weights towards zero; biases and norms (one axis) are left alone (He et al. 2018, arXiv 1812.01187, 3.1). */
export const decayOf = (context: OptimizerContext, parameter: Value, weightDecay: number): number =>
  context.weightDecay ?? (parameter.type.shape.length > 1 ? weightDecay : 0)

/** A state beside the parameter, of its shape. */
export const slot = ({ builder }: OptimizerContext, parameter: Value, name: string, type: 'zeros' | 'ones' = 'zeros') =>
  builder.buffer(`${parameter.node.name}:${name}`, parameter.type.shape, { type })

/** Assigns an operator's outputs to the states, in order. */
export function assign({ builder }: OptimizerContext, states: readonly Value[], next: readonly Value[]): void {
  for (const [i, state] of states.entries()) builder.update(state, next[i])
}
