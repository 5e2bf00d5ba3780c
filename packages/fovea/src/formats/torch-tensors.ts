/**
 * @file What PyTorch's pickles are made of: storages, which are kept beside the pickle, and tensors, which are strided views of
 * them. A tensor's numbers are gathered when they are asked for.
 */
import { FormatError } from '../errors.js'
import { elements } from '../graph/types.js'
import { PickleGlobal, type PickleHost } from './pickle-machine.js'
import { asUnits, units } from './units.js'
import { type StoredTensor, type StoredType, storedElementBytes } from './weight-source.js'

/** A flat array of numbers that a file keeps. */
export interface Storage {
  readonly dtype: StoredType
  readonly length: number
  /** Where its bytes lie. @throws FormatError where they are not there */
  readonly bytes: () => Uint8Array
}

/** PyTorch's classes of storages. */
const storageTypes: Readonly<Record<string, StoredType>> = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
}

/** A view of a storage, in elements. */
export class TorchTensor implements StoredTensor {
  readonly #storage: Storage
  readonly #offset: number
  readonly #stride: readonly number[]

  constructor(
    storage: Storage,
    offset: number,
    readonly shape: readonly number[],
    stride: readonly number[],
  ) {
    this.#storage = storage
    this.#offset = offset
    this.#stride = stride
  }

  get dtype(): StoredType {
    return this.#storage.dtype
  }

  get bytes(): Uint8Array {
    const size = storedElementBytes(this.dtype)
    const from = this.#storage.bytes()
    const count = elements(this.shape)
    if (this.#isDense) return from.subarray(this.#offset * size, (this.#offset + count) * size)
    const source = asUnits(from, size)
    const target = new units[size](count)
    const index = this.shape.map(() => 0)
    for (let to = 0, at = this.#offset; to < count; to++) {
      target[to] = source[at]
      for (let axis = index.length - 1; axis >= 0; axis--) {
        at += this.#stride[axis]
        if (++index[axis] < this.shape[axis]) break
        at -= this.shape[axis] * this.#stride[axis]
        index[axis] = 0
      }
    }
    return new Uint8Array(target.buffer)
  }

  /** Whether its numbers lie one after another. */
  get #isDense(): boolean {
    let expected = 1
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      if (this.shape[axis] !== 1 && this.#stride[axis] !== expected) return false
      expected *= this.shape[axis]
    }
    return true
  }
}

const MAX_AXES = 16

function wholes(value: unknown, what: string): number[] {
  const isWhole = (entry: unknown): entry is number => Number.isSafeInteger(entry) && (entry as number) >= 0
  if (!Array.isArray(value) || value.length > MAX_AXES || !value.every(isWhole)) {
    throw new FormatError(`it has a tensor whose ${what} is no list of whole numbers`)
  }
  return value
}

/** `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …)`; what follows is about gradients, and older files have none. */
function rebuildTensor([storage, offset, size, stride]: readonly unknown[]): TorchTensor {
  if (!isStorage(storage)) throw new FormatError('it has a tensor without a storage')
  const [shape, strides, [start]] = [wholes(size, 'shape'), wholes(stride, 'stride'), wholes([offset], 'offset')]
  if (shape.length !== strides.length) throw new FormatError('it has a tensor whose shape and stride differ in length')
  const count = elements(shape)
  const last = shape.reduce((at, side, axis) => at + (side - 1) * strides[axis], start)
  // Copies of the same numbers (a stride of 0) could claim any size.
  if (count > storage.length || (count > 0 && last >= storage.length)) {
    throw new FormatError(`it has a tensor of ${shape.join('×')} in a storage of ${storage.length} numbers`)
  }
  return new TorchTensor(storage, start, shape, strides)
}

const isStorage = (value: unknown): value is Storage =>
  typeof value === 'object' && value !== null && 'dtype' in value && 'length' in value && 'bytes' in value

/** A class of storages, as a pickle names it. */
class StorageClass extends PickleGlobal {
  constructor(
    name: string,
    readonly dtype: StoredType,
  ) {
    super(name)
  }
}

function orderedDict(values: readonly unknown[]): Map<unknown, unknown> {
  if (values.length === 0) return new Map()
  const [pairs] = values
  const isPair = (pair: unknown): pair is [unknown, unknown] => Array.isArray(pair) && pair.length === 2
  if (!Array.isArray(pairs) || !pairs.every(isPair)) throw new FormatError('it has an OrderedDict of what are no pairs')
  return new Map(pairs)
}

/** All that a pickle of weights may name. */
const globals: ReadonlyMap<string, PickleGlobal> = new Map(
  [
    new PickleGlobal('collections.OrderedDict', orderedDict),
    new PickleGlobal('torch._utils._rebuild_tensor_v2', rebuildTensor),
    new PickleGlobal('torch._utils._rebuild_tensor', rebuildTensor),
    // torch.nn.Parameter(data, requires_grad, backward_hooks)
    new PickleGlobal('torch._utils._rebuild_parameter', ([data]) => data),
    ...Object.entries(storageTypes).map(([name, dtype]) => new StorageClass(`torch.${name}`, dtype)),
  ].map(entry => [entry.name, entry]),
)

/**
 * What a pickle of PyTorch may refer to.
 * @param storage the one with a key, of a type and so many numbers
 */
export function torchHost(storage: (key: string, dtype: StoredType, length: number) => Storage): PickleHost {
  /** ('storage', its class, key, device, length, and in the legacy layout the view of it: key, offset, length) */
  const persistent = (id: unknown): Storage => {
    const [kind, type, key, , length, view] = Array.isArray(id) ? id : []
    if (kind !== 'storage' || !(type instanceof StorageClass) || typeof key !== 'string') {
      throw new FormatError('it refers to what is no storage')
    }
    const whole = storage(key, type.dtype, wholes([length], 'storage')[0])
    return view === undefined || view === null ? whole : viewOf(whole, view)
  }
  return { globals, persistent }
}

function viewOf({ dtype, length, bytes }: Storage, view: unknown): Storage {
  const [start, count] = wholes(Array.isArray(view) ? view.slice(1) : view, 'view')
  if (count === undefined || start + count > length) throw new FormatError('it has a view beyond its storage')
  const size = storedElementBytes(dtype)
  return { dtype, length: count, bytes: () => bytes().subarray(start * size, (start + count) * size) }
}
