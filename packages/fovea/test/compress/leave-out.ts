/** @file What the tests of pruning share: which channels go, zeros in their place, what a graph then gives. */
import type { ChannelGroups } from '../../src/compress/channel-groups.js'
import { keptState } from '../../src/compress/remove-channels.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { type Graph, inputNodes } from '../../src/graph/graph.js'
import { elements } from '../../src/graph/types.js'
import type { Weights } from '../../src/models/model.js'
import { inferenceMode } from '../../src/passes/inference-mode.js'
import { normalAt, randomAt, randomKey, streamOf } from '../../src/random.js'

/** For an image of noise, in float64. */
export async function logits(graph: Graph, weights: Weights): Promise<Float64Array> {
  const program = await referenceEngine({ precision: 'float64' }).compile(inferenceMode(graph))
  for (const [name, values] of weights) await program.write(name, values)
  const [{ outputs }] = inputNodes(graph)
  const image = Float64Array.from({ length: elements(outputs[0].shape) }, (_, i) => normalAt(randomKey(3, 1), i))
  return Float64Array.from((await program.run({ image })).logits)
}

/** A third of the groups, at random, but never all of a set. */
export const aThird = ({ sets }: ChannelGroups): Set<number> =>
  new Set(
    sets.flatMap(({ channels }) =>
      channels.slice(1).filter(group => randomAt(randomKey(0, streamOf('prune')), group) < 1 / 3),
    ),
  )

/** The weights with zeros for what `keptState` leaves out. */
export function zeroed(groups: ChannelGroups, weights: Weights, out: ReadonlySet<number>): Weights {
  const places = new Map([...weights].map(([name, values]) => [name, Float64Array.from(values, (_, i) => i)]))
  const left = keptState(groups, places, out)
  return new Map(
    [...weights].map(([name, values]) => {
      const whole = new Float32Array(values.length)
      for (const place of left.get(name)!) whole[place] = values[place]
      return [name, whole]
    }),
  )
}

/** How far two results are apart, beside the larger. */
export function relativeError(expected: Float64Array, actual: Float64Array): number {
  const scale = Math.max(1e-30, ...Array.from(expected, Math.abs))
  return Math.max(...Array.from(expected, (x, i) => Math.abs(x - actual[i]))) / scale
}
