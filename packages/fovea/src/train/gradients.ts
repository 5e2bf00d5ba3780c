/**
 * @file What happens to gradients between autodiff and the optimizer, as nodes: parts of a batch are added up, the loss
 * scale is taken out again, long gradients are cut; and updates that do not count are held back.
 */
import type { Value } from '../graph/graph.js'
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

/** The gradients to update with, and when an update counts: a scalar, 1 or 0; always, where there is none. */
export interface PreparedGradients {
  readonly gradients: readonly ParameterGradient[]
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
  { accumulate, clipNorm, lossScale }: GradientOptions,
): PreparedGradients {
  const inParts = accumulate > 1
  if (!inParts && clipNorm === undefined && !lossScale) return { gradients: given }
  const sums = inParts ? addParts(builder, given) : given
  const squares = sums.map(({ parameter, gradient }) => {
    const axes = gradient.type.shape.map((_, axis) => axis)
    return builder.emit(productSum, [gradient, gradient], { axes, keepDims: false }, `${parameter.node.name}.squares`)
  })
  const [first, ...rest] = squares
  const total = rest.reduce((sum, square) => builder.emit(add, [sum, square], {}, 'gradientSquares'), first)
  const attrs = { parts: accumulate, maxNorm: clipNorm ?? null }
  const inputs = [total, lossScale ?? builder.constant(1)]
  const [factor, norm, finite] = builder.emitAll(gradientScale, inputs, attrs, 'gradientScale')
  builder.output('gradientNorm', norm)
  const gradients = sums.map(({ parameter, gradient }) => ({
    parameter,
    gradient: builder.emit(multiply, [gradient, factor], {}, `${parameter.node.name}.gradient`),
  }))
  if (lossScale) builder.output('finite', finite)
  const lastPart = inParts ? builder.input('lastPart', []) : undefined
  const counts =
    lastPart && lossScale
      ? builder.emit(multiply, [lastPart, finite], {}, 'counts')
      : (lastPart ?? (lossScale && finite))
  return { gradients, ...(counts && { counts }), ...(lossScale && { partCounts: finite }) }
}

/** Each parameter's sum over the parts lies in the slot `NAME:gradient`, and begins anew with the first. */
function addParts(builder: GraphBuilder, given: readonly ParameterGradient[]): ParameterGradient[] {
  const firstPart = builder.input('firstPart', [])
  return given.map(({ parameter, gradient }) => {
    const { name } = parameter.node
    const before = builder.buffer(`${name}:gradient`, parameter.type.shape, { type: 'zeros' })
    const more = builder.emit(add, [before, gradient], {}, `${name}.sum`)
    const sum = builder.emit(where, [firstPart, gradient, more], {}, `${name}.sum`)
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
