/** @file What `fovea prune` can do, by the name that `--method` gives it: whole channels, or single weights. */
import {
  type Criterion,
  connectionsOf,
  type Dataset,
  type Engine,
  FoveaError,
  type LayerConnections,
  type Model,
  type Pattern,
  type Precision,
  type PruningScope,
  pruneChannels,
  pruneWeights,
  type RecipeName,
} from 'fovea'
import { optionOf } from '../option-names.js'
import { percent } from '../output.js'
import { UsageError } from '../usage.js'

/** The methods, and what goes by each. */
export const methods = {
  channels: 'whole channels: the model becomes smaller and faster',
  magnitude: 'single weights: the smallest',
  movement: 'single weights: those that training moves towards 0',
  taylor: 'single weights: those whose removal changes the loss least',
} as const

/** A key of `methods`. */
export type Method = keyof typeof methods

export interface MethodOptions {
  readonly method: Method
  readonly amount?: number
  readonly importance?: Criterion
  readonly scope: PruningScope
  readonly multipleOf?: number
  readonly pattern?: Pattern
  readonly gradual?: true
  /** How many times channels go, with training after each. */
  readonly iterations?: number
  readonly epochs?: number
  readonly recipe?: RecipeName
  readonly learningRate?: number
  readonly batch?: number
  readonly precision?: Precision
  readonly distill?: true
  readonly seed: number
}

/** Channels or weights of a layer, before and after. */
export interface PrunedPart {
  readonly name: string
  readonly channels?: number
  readonly weights?: number
  readonly kept: number
}

/** Whether the weights go while the model trains; else all go at once, and what is left is trained. */
export const isGradual = ({ gradual, method }: MethodOptions): boolean => gradual === true || method === 'movement'

/** @throws UsageError for options that do not go together */
export function checkMethod(options: MethodOptions): void {
  const { method, amount, importance, multipleOf, pattern, gradual, iterations, epochs } = options
  const refuse = (message: string): never => {
    throw new UsageError(message)
  }
  if (method === 'channels') {
    if (gradual) refuse('--gradual is for single weights: --method magnitude')
    if (pattern !== undefined) refuse('--pattern is for single weights: --method magnitude')
  } else {
    if (importance !== undefined)
      refuse(`--importance is for channels: --method ${method} decides which weights to remove`)
    if (multipleOf !== undefined) refuse('--multiple-of is for channels: --method channels')
    if (iterations !== undefined)
      refuse('--iterations is for channels: weights are removed little by little by --gradual')
  }
  if (pattern === '2:4' && amount !== undefined) refuse('--pattern 2:4 removes half of the weights: leave out --amount')
  if (pattern !== '2:4' && amount === undefined) {
    refuse('--amount is missing: how much to remove, such as 0.5')
  }
  if (epochs === undefined) {
    const option = (['distill', 'recipe', 'learningRate', 'batch', 'precision'] as const).find(
      name => options[name] !== undefined,
    )
    if (option !== undefined) refuse(`--epochs is missing: ${optionOf(option)} is about training the pruned model`)
  }
  if (iterations !== undefined && epochs === undefined) {
    refuse('--epochs is missing: --iterations trains the model after each time that channels go')
  }
  if (isGradual(options) && epochs === undefined) {
    refuse(
      `--epochs is missing: ${gradual ? '--gradual' : `--method ${method}`} removes weights while the model trains`,
    )
  }
}

/** Takes all at once. @param how where it is measured, and on which training images */
export async function pruneAtOnce(
  model: Model,
  options: MethodOptions,
  how: { readonly images: Dataset; readonly engine: Engine },
): Promise<{ readonly model: Model; readonly layers: readonly PrunedPart[] }> {
  const { method, amount = 0.5, scope, pattern, seed } = options
  if (method === 'channels') {
    const { model: pruned, sets } = await pruneChannels(model, { amount, ...channelOptions(options), ...how })
    return { model: pruned, layers: sets }
  }
  const criterion = method === 'taylor' ? 'taylor' : 'magnitude'
  const which = pattern === '2:4' ? { pattern } : { amount }
  return pruneWeights(model, { ...which, importance: criterion, scope, seed, ...how })
}

/**
 * That weights which go while the model trains can leave each layer one, whichever they are.
 * @throws FoveaError where there are too few
 */
export function checkGradual(model: Model, { amount = 0.5, scope }: MethodOptions): void {
  const layers = connectionsOf(model)
  const left = (weights: number): number => weights - Math.round(amount * weights)
  const least = Math.min(...layers.map(({ weights }) => left(weights)))
  const all = left(layers.reduce((sum, { weights }) => sum + weights, 0))
  if (scope === 'uniform' ? least >= 1 : all >= layers.length) return
  const why =
    scope === 'uniform'
      ? `would leave '${layers.find(({ weights }) => left(weights) === 0)!.name}' without weights`
      : `leaves ${all} weights for ${layers.length} layers`
  throw new FoveaError(`--amount ${amount} ${why}: choose a smaller one`)
}

/**
 * That weights are left to go: those that are 0 already count as gone.
 * @throws FoveaError where as many are 0 as are asked for
 */
export function checkNotGone(model: Model, { method, amount = 0 }: MethodOptions): void {
  if (method === 'channels') return
  const layers = connectionsOf(model)
  const sum = (of: (layer: LayerConnections) => number): number => layers.reduce((all, layer) => all + of(layer), 0)
  const gone = 1 - sum(({ kept }) => kept) / sum(({ weights }) => weights)
  if (gone === 0 || gone < amount || amount === 0) return
  throw new FoveaError(`${percent(gone)} of the weights are 0 already, so --amount ${amount} takes none: ask for more`)
}

/** How channels are chosen. */
export const channelOptions = ({ importance, scope, multipleOf, seed }: MethodOptions) => ({
  ...{ scope, seed },
  ...(importance && { importance }),
  ...(multipleOf && { multipleOf }),
})

/** As `train --pruning` takes it: what is 0 stays 0; or, of gradual pruning, what goes. Nothing for channels. */
export function pruningEntries(options: MethodOptions): string[] | undefined {
  const { method, amount, scope, pattern } = options
  if (method === 'channels') return undefined
  if (!isGradual(options)) return ['kept']
  const which = pattern === '2:4' ? 'pattern=2:4' : `amount=${amount}`
  return [which, `importance=${method}`, `scope=${scope}`]
}

/** The weights of a model's layers, as parts. */
export const weightParts = (model: Model): PrunedPart[] => connectionsOf(model)
