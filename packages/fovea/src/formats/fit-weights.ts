/**
 * @file Which tensor of a file is which weight of a model, by their names: ours or a library's, with the prefixes that training
 * puts before them. All must be there, and nothing that the model does not have.
 */
import { FormatError } from '../errors.js'
import { type Graph, slotOwner, stateNodes } from '../graph/graph.js'
import type { TensorType } from '../graph/types.js'
import { createModel, modelNames } from '../models/registry.js'
import { expand } from './sparse.js'
import { namingsOf, theirNames, type WeightNaming } from './weight-names.js'
import { type StoredTensor, shownName } from './weight-source.js'

type Tensors = ReadonlyMap<string, StoredTensor>

/** DistributedDataParallel's, Lightning's and torch.compile's. */
const prefixes = ['module.', 'model.', '_orig_mod.']
/** Counters of PyTorch's batch-norms and of its averaged models, which nothing here needs. */
const isCounter = (name: string): boolean => /(^|\.)(num_batches_tracked|n_averaged)$/.test(name)

/** The tensors of a file by our names. */
export interface FittedWeights {
  readonly tensors: Tensors
  readonly naming: WeightNaming
}

/** The types of parameters and buffers by name. */
export const typesOf = (graph: Graph): ReadonlyMap<string, TensorType> =>
  new Map(stateNodes(graph).map(({ name, outputs: [type] }) => [name, type]))

/**
 * @param model its name, which says what others call its weights
 * @param optional names of ours that the file may lack, if it lacks all of them: those of the head
 * @throws FormatError with the names that were expected, and those that the file has
 */
export function fitWeights(
  inFile: Tensors,
  { name: model, graph }: { readonly name: string; readonly graph: Graph },
  optional: readonly string[] = [],
): FittedWeights {
  const types = typesOf(graph)
  const tensors = withoutPrefixes(expand(inFile, types))
  const fits = namingsOf(model).map(naming => fit(tensors, [...types.keys()], naming))
  const best = fits.reduce((most, candidate) => (candidate.missing.length < most.missing.length ? candidate : most))
  const { naming, missing, names, adapted } = best
  if (missing.length === types.size) {
    throw new FormatError(
      `expected ${few([...names.values()])}, it has ${few([...tensors.keys()]) || 'no weights'}${fitting(tensors, model)}`,
    )
  }
  const isHeadless = missing.length === optional.length && optional.every(name => missing.includes(names.get(name)!))
  if (missing.length > 0 && !isHeadless) throw new FormatError(`it lacks ${few(missing)}${fitting(tensors, model)}`)
  const known = new Set(names.values())
  const extra = [...adapted.keys()].filter(name => !known.has(name) && !types.has(slotOwner(name) ?? ''))
  if (extra.length > 0) {
    throw new FormatError(`it has ${few(extra)}, which ${model} does not have${fitting(tensors, model)}`)
  }
  const found = [...names].filter(([, theirs]) => adapted.has(theirs))
  return { naming, tensors: new Map(found.map(([ours, theirs]) => [ours, adapted.get(theirs)!])) }
}

function fit(tensors: Tensors, ours: readonly string[], naming: WeightNaming) {
  const names = theirNames(ours, naming)
  const adapted = naming.adapt?.(tensors) ?? tensors
  return { naming, names, adapted, missing: [...names.values()].filter(name => !adapted.has(name)) }
}

/** Without counters, and without the prefixes that all names have. */
function withoutPrefixes(tensors: Tensors): Tensors {
  let entries = [...tensors].filter(([name]) => !isCounter(name))
  for (let again = entries.length > 0; again; ) {
    const prefix = prefixes.find(prefix => entries.every(([name]) => name.startsWith(prefix)))
    again = prefix !== undefined
    if (prefix !== undefined) entries = entries.map(([name, tensor]) => [name.slice(prefix.length), tensor])
  }
  return new Map(entries)
}

/** The first three, and how many more. */
export function few(names: readonly string[]): string {
  const first = names.slice(0, 3).map(shownName).join(', ')
  return names.length > 3 ? `${first} and ${names.length - 3} more` : first
}

/** What to say of the models whose names these are. */
function fitting(tensors: Tensors, model: string): string {
  const others = modelNames.filter(other => {
    if (other === model) return false
    const { graph } = createModel(other)
    const ours = [...typesOf(graph).keys()]
    return namingsOf(other).some(naming => {
      const { adapted, missing } = fit(tensors, ours, naming)
      return adapted.size === ours.length && missing.length === 0
    })
  })
  return others.length === 0 ? '' : `; its names are those of ${others.join(', ')}`
}
