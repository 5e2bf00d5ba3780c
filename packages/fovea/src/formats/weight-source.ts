/**
 * @file What weights are read from, whatever the format of the file: tensors by name, each read when it is asked for. Knows no
 * format and no model.
 */
import type { Normalization } from '../data/dataset.js'
import { bytesPerElement, type DType, dtypes, elements, type Shape } from '../graph/types.js'

/** The type of a tensor in a file; graphs have no int64 and the like, which counters such as `num_batches_tracked` are of. */
export type StoredType = DType | ForeignType
type ForeignType = 'int64' | 'int16' | 'uint64' | 'uint32' | 'uint16' | 'bool' | 'float8_e4m3' | 'float8_e5m2'

/** Bytes of an element, of those that no graph has. */
const foreignBytes: Readonly<Record<ForeignType, 1 | 2 | 4 | 8>> = {
  ...{ int64: 8, int16: 2, uint64: 8, uint32: 4, uint16: 2, bool: 1 },
  ...{ float8_e4m3: 1, float8_e5m2: 1 },
}
export const isForeign = (dtype: StoredType): dtype is ForeignType => Object.hasOwn(foreignBytes, dtype)

/** All of them. */
export const storedTypes: readonly StoredType[] = [...dtypes, ...(Object.keys(foreignBytes) as StoredType[])]

/** One tensor of a file. */
export interface StoredTensor {
  readonly dtype: StoredType
  readonly shape: Shape
  /** Little-endian, dense. Of some formats it is made when it is asked for, from bytes that have been found to be there. */
  readonly bytes: Uint8Array
}

/** Weights by name: all that a file holds of them. */
export interface WeightSource {
  /** The file's name, for messages. */
  readonly name: string
  /** The format, as messages call it: `a safetensors file`. */
  readonly format: string
  /** By the names that the file has. */
  readonly tensors: ReadonlyMap<string, StoredTensor>
  /** What was taken of several, or left out, a line each. */
  readonly notes: readonly string[]
  /** How images are normalized for these weights, where the file says so. */
  readonly normalization?: Normalization
  /** Of the images that the weights' model takes, where the file says so: [height, width, channels]. */
  readonly input?: readonly [number, number, number]
}

/** Bytes of one element in a file. */
export const storedElementBytes = (dtype: StoredType): 1 | 2 | 4 | 8 =>
  isForeign(dtype) ? foreignBytes[dtype] : bytesPerElement(dtype)

/** Bytes of a tensor in a file, dense. */
export const storedBytes = ({ dtype, shape }: Pick<StoredTensor, 'dtype' | 'shape'>): number =>
  elements(shape) * storedElementBytes(dtype)

/** A name from a file, as a message has it: in one line, and not longer than a name is. */
export const shownName = (name: string): string => {
  const line = name.slice(0, 100).replace(/\p{Cc}/gu, '?')
  return name.length > 100 ? `${line}…` : line
}
