/**
 * @file Which single weights stay: by a number for each, the highest, over all layers or in each, or two of every four, as
 * NVIDIA's sparse tensor cores take them.
 */
import { InvalidArgumentError } from '../errors.js'
import { elements, type Shape } from '../graph/types.js'
import type { PruningScope } from './scope.js'

/** `any`: weights go wherever they lie. `2:4`: of each four that follow each other along a layer's inputs, two stay. */
export const patterns = ['any', '2:4'] as const
/** One of `patterns`. */
export type Pattern = (typeof patterns)[number]

/** The weights of a layer with a number for each: the lower it is, the sooner they go. */
export interface ScoredWeights {
  /** Of the parameter: `layer1.0.conv1.weight`. */
  readonly name: string
  /** [outputs, inputs, …] */
  readonly shape: Shape
  readonly scores: ArrayLike<number>
}

/** How many weights go, and from where. */
export interface WeightChoice {
  /** The part of all of them, from 0 to below 1. */
  readonly amount: number
  readonly scope: PruningScope
  readonly pattern: Pattern
}

/** For each parameter, whether a weight stays: 1 or 0. */
export type WeightMasks = ReadonlyMap<string, Uint8Array>

/**
 * The weights that stay; of equals the later ones. Of a pattern of 2:4, half of whose weights go in the end, a smaller amount
 * takes a part of those.
 * @throws InvalidArgumentError if a layer would lose all of them
 */
export function chooseWeights(layers: readonly ScoredWeights[], { amount, scope, pattern }: WeightChoice): WeightMasks {
  const isPattern = pattern === '2:4'
  const candidates = layers.map(({ name, shape, scores }): Candidates => {
    const mask = new Uint8Array(scores.length).fill(1)
    return { name, mask, scores, places: isPattern ? leastOfFours(shape, scores) : undefined }
  })
  const share = isPattern ? Math.min(1, 2 * amount) : amount
  if (isPattern || scope === 'uniform') for (const layer of candidates) dropLeast([layer], share)
  else dropLeast(candidates, share)
  for (const { name, mask } of candidates) {
    if (mask.includes(1)) continue
    const or = isPattern || scope === 'uniform' ? '' : ", or scope 'uniform'"
    throw new InvalidArgumentError(
      `amount ${amount} would leave '${name}' without weights: choose a smaller amount${or}`,
    )
  }
  return new Map(candidates.map(({ name, mask }) => [name, mask]))
}

/** What may go of a layer. */
interface Candidates {
  readonly name: string
  /** In which those that go are set to 0. */
  readonly mask: Uint8Array
  readonly scores: ArrayLike<number>
  /** Where those lie that may go. Default: all. */
  readonly places: readonly number[] | undefined
}

/** Of all layers together the share that has the lowest scores. */
function dropLeast(layers: readonly Candidates[], share: number): void {
  const all = new Float64Array(layers.reduce((sum, { places, scores }) => sum + (places ?? scores).length, 0))
  let end = 0
  const visit = (layer: Candidates, act: (place: number) => void): void => {
    if (layer.places) layer.places.forEach(act)
    else for (let place = 0; place < layer.scores.length; place++) act(place)
  }
  for (const layer of layers) visit(layer, place => (all[end++] = layer.scores[place]))
  const count = Math.round(share * all.length)
  if (count === 0) return
  all.sort()
  const limit = all[count - 1]
  let ties = count - all.indexOf(limit)
  for (const layer of layers) {
    visit(layer, place => {
      const score = layer.scores[place]
      if (score < limit || (score === limit && ties-- > 0)) layer.mask[place] = 0
    })
  }
}

/** The places of the two least of each four; inputs that make no four stay. */
function leastOfFours([outputs, inputs, ...rest]: Shape, scores: ArrayLike<number>): number[] {
  const inner = elements(rest)
  const found: number[] = []
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input + 4 <= inputs; input += 4) {
      for (let i = 0; i < inner; i++) {
        const four = [0, 1, 2, 3].map(j => (output * inputs + input + j) * inner + i)
        found.push(...four.sort((a, b) => scores[a] - scores[b]).slice(0, 2))
      }
    }
  }
  return found
}
