/**
 * @file A model beside what integers would make of each of its layers: every layer once as it is and once with its inputs and
 * weights rounded, while all before it compute in float32.
 */
import type { Node, Value } from '../graph/graph.js'
import type { Model, Weights } from '../models/model.js'
import { add } from '../ops/add.js'
import { GraphBuilder } from '../ops/builder.js'
import { opDefinition } from '../ops/index.js'
import { multiply } from '../ops/multiply.js'
import type { ActivationScale } from '../ops/quantization.js'
import { rewriteInto } from '../passes/rewrite.js'
import { setBatchSize } from '../passes/set-batch-size.js'
import { emitIntegerLayer, roundedActivation, sourceOf } from './integer-layers.js'
import { type MeasuredOn, overBatches } from './over-batches.js'

/** What numbers are rounded to. */
export interface Rounding {
  /** Of activations, by the node that makes them. */
  readonly scales: ReadonlyMap<Node, ActivationScale>
  /** No weight lies beyond it or its negative. */
  readonly largest: number
}

/** A layer's results in float32, and what is missing of them in integers. */
export interface Beside {
  readonly builder: GraphBuilder
  readonly y: Value
  /** y − y' */
  readonly lost: Value
}

/** A second set of parameters stands beside those of the model. */
const SUFFIX = '.int8'

/**
 * Runs both over images.
 * @param layers nodes of the model, or what is left of such nodes without what is behind
 * @param summarize the sums or means that are wanted of a layer, by names of its own
 * @param visit is told what they came to, for each batch: by a layer's place and a name
 * @returns how many batches there were
 */
export function besideIntegers(
  model: Model,
  layers: readonly Node[],
  { scales, largest }: Rounding,
  measuredOn: MeasuredOn,
  {
    summarize,
    visit,
  }: {
    readonly summarize: (beside: Beside) => Readonly<Record<string, Value>>
    readonly visit: (found: (place: number, name: string) => ArrayLike<number>) => void
  },
): Promise<number> {
  const builder = new GraphBuilder()
  const { mapped } = rewriteInto(builder, { ...model.graph, outputs: new Map() })
  const weights: Weights = new Map(model.weights)
  const minusOne = builder.constant(-1)
  const own = new Set(model.graph.nodes)
  layers.forEach((layer, place) => {
    const {
      op,
      inputs,
      attrs,
      outputs: [type],
    } = layer
    const [x, , , residual] = inputs
    const rounded = (value: Value): Value =>
      roundedActivation(builder, mapped(value), scales.get(sourceOf(value).node)!)
    const { outputs, state } = emitIntegerLayer(builder, layer, [x, ...(residual ? [residual] : [])].map(rounded), {
      ...{ weights: model.weights, scale: scales.get(sourceOf(x).node)!, largest, suffix: SUFFIX },
    })
    for (const [name, values] of state) weights.set(name, values)
    const y = own.has(layer)
      ? mapped({ node: layer, index: 0, type })
      : builder.emit(opDefinition(op), inputs.map(mapped), attrs)
    const lost = builder.emit(add, [y, builder.emit(multiply, [outputs[0], minusOne], {})], {})
    for (const [name, value] of Object.entries(summarize({ builder, y, lost }))) {
      builder.output(`${place}.${name}`, value)
    }
  })
  const graph = setBatchSize(builder.build(), measuredOn.batchSize)
  return overBatches(graph, { ...model, weights }, measuredOn, outputs =>
    visit((place, name) => outputs[`${place}.${name}`]),
  )
}
