/**
 * @file The number by which the optimizer multiplies gradients, as nodes: it makes a mean of the parts of a batch, takes the loss
 * scale out again, cuts long gradients, and is 0 in a step that does not count. It costs a pass over the gradients where
 * their norm is needed, and no more.
 */
import type { Value } from '../../graph/graph.js'
import { add } from '../../ops/add.js'
import { gradientScale } from '../../ops/gradient-scale.js'
import { multiply } from '../../ops/multiply.js'
import { productSum } from '../../ops/product-sum.js'
import { where } from '../../ops/where.js'
import type { StepBuilder } from '../step-builder.js'
import type { Accumulation } from './accumulation.js'
import type { ParameterGradient } from './gradient.js'

export interface GradientScaleOptions {
  readonly accumulation: Accumulation
  /** The longest norm of all gradients together. Default: any. */
  readonly clipNorm: number | undefined
  /** By what the loss was multiplied, a scalar: then a step whose gradients are not finite does not count. */
  readonly lossScale: Value | undefined
}

/** What to update with. */
export interface GradientScale {
  /** A scalar by which the optimizer multiplies gradients; 0 where the step does not count. */
  readonly scale: Value
  /** Whether the step counts: a scalar, 1 or 0; always, where there is none. */
  readonly counts?: Value
  /** As `counts`, for what each part of a batch updates: the running statistics. */
  readonly partCounts?: Value
}

/** Adds the nodes, and the outputs `gradientNorm` and `finite` where they are known. */
export function gradientScaleOf(
  builder: StepBuilder,
  gradients: readonly ParameterGradient[],
  { accumulation, clipNorm, lossScale }: GradientScaleOptions,
): GradientScale {
  const { parts } = accumulation
  const lastPart = accumulation.lastPart(builder)
  if (clipNorm === undefined && !lossScale) {
    const mean = builder.constant(1 / parts)
    if (!lastPart) return { scale: mean }
    return { scale: builder.emit(multiply, [lastPart, mean], {}, 'gradientScale'), counts: lastPart }
  }
  const squares = gradients.map(({ parameter, gradient }) => {
    const axes = gradient.type.shape.map((_, axis) => axis)
    return builder.emit(productSum, [gradient, gradient], { axes, keepDims: false }, `${parameter.node.name}.squares`)
  })
  const [first, ...rest] = squares
  const total = rest.reduce((sum, square) => builder.emit(add, [sum, square], {}, 'gradientSquares'), first)
  const one = builder.constant(1)
  const attrs = { parts, maxNorm: clipNorm ?? null }
  const inputs = [total, lossScale ?? one, lastPart ?? one]
  const [scale, norm, finite] = builder.emitAll(gradientScale, inputs, attrs, 'gradientScale')
  builder.output('gradientNorm', norm)
  if (!lossScale) return { scale, ...(lastPart && { counts: lastPart }) }
  builder.output('finite', finite)
  const counts = lastPart ? builder.emit(multiply, [lastPart, finite], {}, 'counts') : finite
  return { scale, counts, partCounts: finite }
}

/** Lets states keep their old value where the update does not count. */
export function holdBack(builder: StepBuilder, states: readonly Value[], counts: Value): void {
  for (const state of states) {
    const next = builder.nextOf(state)
    if (next !== undefined)
      builder.update(state, builder.emit(where, [counts, next, state], {}, `${state.node.name}.kept`))
  }
}
