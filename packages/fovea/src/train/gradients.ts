/**
 * @file What happens to gradients between autodiff and the optimizer, as nodes: parts of a batch are added up, and a number
 * is found by which the optimizer multiplies them, so that the loss scale is taken out again, long gradients are cut, and
 * steps that do not count change nothing. It costs a pass over the gradients for each thing that needs one, and no more.
 */
import type { Value } from '../graph/graph.js'
import { accumulate } from '../ops/accumulate.js'
import { add } from '../ops/add.js'
import type { GraphBuilder } from '../ops/builder.js'
import { gradientScale } from '../ops/gradient-scale.js'
import { multiply } from '../ops/multiply.js'
import { productSum } from '../ops/product-sum.js'
import { where } from '../ops/where.js'

export interface GradientOptions {
  /** In how many parts a batch is run, one after another. */
  readonly accumulate: number
  /** The longest norm of all gradients together. */
  readonly clipNorm?: number
  /** By what the loss was multiplied, a scalar: then a step whose gradients are not finite does not count. */
  readonly lossScale?: Value
}

/** A parameter and the loss's gradient by it. */
export interface ParameterGradient {
  readonly parameter: Value
  readonly gradient: Value
}

/** What to update with. */
export interface PreparedGradients {
  readonly gradients: readonly ParameterGradient[]
  /** A scalar by which the optimizer multiplies them; 0 where the step does not count. */
  readonly scale: Value
  /** Whether the step counts: a scalar, 1 or 0; always, where there is none. */
  readonly counts?: Value
  /** As `counts`, for what each part of a batch updates: the running statistics. */
  readonly partCounts?: Value
}

/**
 * Adds the nodes. Fed are, where a batch has parts, `firstPart` (1 at the first, else 0) and `lastPart`; outputs are, where
 * they are known, `gradientNorm` and `finite`.
 */
export function prepareGradients(
  builder: GraphBuilder,
  given: readonly ParameterGradient[],
  { accumulate: parts, clipNorm, lossScale }: GradientOptions,
): PreparedGradients {
  const gradients = parts > 1 ? addParts(builder, given) : given
  const lastPart = parts > 1 ? builder.input('lastPart', []) : undefined
  if (clipNorm === undefined && !lossScale) {
    const mean = builder.constant(1 / parts)
    if (!lastPart) return { gradients, scale: mean }
    return { gradients, scale: builder.emit(multiply, [lastPart, mean], {}, 'gradientScale'), counts: lastPart }
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
  if (!lossScale) return { gradients, scale, ...(lastPart && { counts: lastPart }) }
  builder.output('finite', finite)
  const counts = lastPart ? builder.emit(multiply, [lastPart, finite], {}, 'counts') : finite
  return { gradients, scale, counts, partCounts: finite }
}

/** Each parameter's sum over the parts lies in the slot `NAME:gradient`, and begins anew with the first. */
function addParts(builder: GraphBuilder, given: readonly ParameterGradient[]): ParameterGradient[] {
  const firstPart = builder.input('firstPart', [])
  return given.map(({ parameter, gradient }) => {
    const { name } = parameter.node
    const before = builder.buffer(`${name}:gradient`, parameter.type.shape, { type: 'zeros' })
    const sum = builder.emit(accumulate, [before, gradient, firstPart], {}, `${name}.sum`)
    builder.update(before, sum)
    return { parameter, gradient: sum }
  })
}

/** Lets states keep their old value where the update does not count. */
export function holdBack(builder: GraphBuilder, states: readonly Value[], counts: Value): void {
  for (const state of states) {
    const next = builder.nextOf(state)
    if (next !== undefined)
      builder.update(state, builder.emit(where, [counts, next, state], {}, `${state.node.name}.kept`))
  }
}
