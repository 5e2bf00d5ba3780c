/** @file The state of a compiled training step, into and out of its program: the model's weights, the optimizer's slots. */
import type { Program } from '../engines/engine.js'
import { InvalidArgumentError } from '../errors.js'
import { zeroArray } from '../graph/arrays.js'
import { type Graph, stateNodes } from '../graph/graph.js'
import type { Model, Weights } from '../models/model.js'
import { initialWeights } from '../nn/initializers.js'

/** Sets all state: weights, and optimizer slots as saved or as they start. */
export async function writeState(program: Program, graph: Graph, weights: Weights, slots?: Weights): Promise<void> {
  const start =
    slots ?? initialWeights({ ...graph, nodes: stateNodes(graph).filter(({ name }) => !weights.has(name)) }, 0)
  for (const { name } of stateNodes(graph)) {
    const values = weights.get(name) ?? start.get(name)
    if (values === undefined) throw new InvalidArgumentError(`the state to go on from lacks '${name}'`)
    await program.write(name, values)
  }
}

/** All that a run changes. */
export interface State {
  readonly weights: Weights
  readonly slots: Weights
}

/** The model's own state, and the rest, which is the optimizer's. */
export async function readState(program: Program, graph: Graph, model: Model): Promise<State> {
  const weights: Weights = new Map()
  const slots: Weights = new Map()
  for (const { name, outputs } of stateNodes(graph)) {
    const values = zeroArray(outputs[0]) // An engine that computes in float64 gives such numbers.
    values.set(await program.read(name))
    ;(model.weights.has(name) ? weights : slots).set(name, values)
  }
  return { weights, slots }
}

/** Whether no weight has become NaN or infinite. */
export const allFinite = ({ weights }: State): boolean =>
  [...weights.values()].every(values => !values.some((value: number) => !Number.isFinite(value)))
