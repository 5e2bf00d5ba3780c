/**
 * @file Weights in several files (`model.safetensors.index.json`, as Hugging Face's libraries write it): JSON that says which
 * tensor is in which file beside it.
 */
import { FormatError } from '../errors.js'
import { checkArguments } from '../settings/group.js'
import { text, typedArray } from '../settings/kinds.js'
import { asRecord, asString, parseJson } from './json.js'
import type { ModelFormat } from './model-source.js'
import { type StoredTensor, shownName, type WeightSource } from './weight-source.js'

const MAX_INDEX_BYTES = 10 << 20
const MAX_FILES = 1000

/** A plain name: no folder, no way out of this one. */
export const isPlainName = (name: string): boolean => /^[^/\\:\0]{1,255}$/.test(name) && name !== '.' && name !== '..'

/**
 * The files that an index of weights names.
 * @param name the index's, for messages
 * @throws FormatError naming what is wrong with it
 */
export function shardsOf(name: string, index: Uint8Array): string[] {
  checkArguments(shardArguments, { name, index })
  return named(name, () => [...new Set(placesIn(index).values())])
}

const shardArguments = { name: text("the index's, for messages"), index: typedArray('all its bytes', 'Uint8Array') }

/** @param open reads one of the files */
export const sharded = (open: (name: string, file: Uint8Array) => WeightSource): ModelFormat => ({
  matches: file =>
    file[0] === 0x7b && new TextDecoder().decode(file.subarray(0, MAX_INDEX_BYTES)).includes('"weight_map"'),
  open: (name, index, beside) =>
    named(name, () => {
      const files = new Map<string, WeightSource>()
      const tensors = new Map<string, StoredTensor>()
      for (const [tensor, shard] of placesIn(index)) {
        const source = files.get(shard) ?? open(shard, beside(shard, 'followed'))
        files.set(shard, source)
        const found = source.tensors.get(tensor)
        if (found === undefined) throw new FormatError(`'${shownName(tensor)}' is not in '${shownName(shard)}'`)
        tensors.set(tensor, found)
      }
      const notes = [...files.values()].flatMap(({ notes }) => notes)
      return { weights: { name, format: `${files.size} files`, tensors, notes } }
    }),
})

/** Which file each tensor is in. */
function placesIn(index: Uint8Array): ReadonlyMap<string, string> {
  if (index.length > MAX_INDEX_BYTES)
    throw new FormatError(`it has ${index.length} bytes, at most ${MAX_INDEX_BYTES} are read`)
  const { weight_map } = asRecord(parseJson(new TextDecoder().decode(index), 'it'), 'it')
  const places = new Map<string, string>()
  for (const [tensor, place] of Object.entries(asRecord(weight_map, 'weight_map'))) {
    const shard = asString(place, `weight_map.${shownName(tensor)}`)
    if (!isPlainName(shard))
      throw new FormatError(`'${shownName(tensor)}' is in '${shownName(shard)}', which is no file in the same folder`)
    places.set(tensor, shard)
  }
  if (new Set(places.values()).size > MAX_FILES) throw new FormatError(`it names more than ${MAX_FILES} files`)
  return places
}

/** What goes wrong names the index. */
function named<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`'${name}' is no index of weights: ${error.message}`) : error
  }
}
