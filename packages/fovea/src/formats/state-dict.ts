/**
 * @file Where in what was saved the weights are: a dictionary of tensors, or one within a training's checkpoint, beside the
 * optimizer and the epoch.
 */
import { FormatError } from '../errors.js'
import { TorchTensor } from './torch-tensors.js'
import { shownName, type WeightSource } from './weight-source.js'

/** The entries that hold weights, as training scripts call them. Averaged ones come first: those are what is evaluated. */
const entries = [
  'state_dict_ema',
  'model_ema',
  'ema',
  'ema_state_dict',
  'state_dict',
  'model',
  'model_state_dict',
].concat(['module', 'net', 'network', 'weights', 'params'])
interface Candidate {
  readonly path: string
  readonly tensors: ReadonlyMap<string, TorchTensor>
}

/**
 * The weights in a value that a pickle holds, and which were taken where there are several.
 * @throws FormatError where there are none
 */
export function stateDictOf(value: unknown): Pick<WeightSource, 'tensors' | 'notes'> {
  const [taken, ...others] = candidates(value, '', new Set())
  if (taken === undefined) throw new FormatError(`it holds no weights: ${contentsOf(value)}`)
  const also = others.map(({ path }) => `'${path}'`).join(', ')
  const notes = others.length === 0 ? [] : [`the weights in '${taken.path}' were taken; there are others in ${also}`]
  return { tensors: taken.tensors, notes }
}

/** @param seen dictionaries that have been looked into: one may hold itself */
function candidates(value: unknown, path: string, seen: Set<unknown>): Candidate[] {
  if (!(value instanceof Map) || seen.has(value)) return []
  seen.add(value)
  const tensors = new Map<string, TorchTensor>()
  for (const [key, entry] of value) if (typeof key === 'string' && entry instanceof TorchTensor) tensors.set(key, entry)
  // A checkpoint may have a tensor or two beside its state_dict.
  const nested = entries.flatMap(name => candidates(value.get(name), path === '' ? name : `${path}.${name}`, seen))
  return nested.length > 0 || tensors.size === 0 ? nested : [{ path, tensors }]
}

function contentsOf(value: unknown): string {
  if (!(value instanceof Map)) return 'expected a dictionary of tensors (a state_dict)'
  const names = [...value.keys()]
    .filter(key => typeof key === 'string')
    .slice(0, 8)
    .map(shownName)
  return `expected a dictionary of tensors, or one of those in ${entries.slice(4, 6).join(' or ')}; it has ${names.join(', ') || 'nothing'}`
}
