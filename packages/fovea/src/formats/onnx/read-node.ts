/** @file A node of an ONNX file with its attributes read as they should be, each error naming the attribute. */
import { FormatError } from '../../errors.js'
import type { Shape } from '../../graph/types.js'
import { type Known, knownOf } from './known.js'
import type { Message } from './messages.js'

/** Which elements of a tensor Slice takes: counted from 0, steps above 0. */
export interface Cut {
  readonly start: readonly number[]
  readonly dims: readonly number[]
  readonly step: readonly number[]
}

export class ReadNode {
  readonly op: string
  /** Its name or, as many have none, its first output's. */
  readonly name: string
  readonly outputs: readonly string[]
  readonly #attributes: ReadonlyMap<string, Message<'AttributeProto'>>

  /** @param known the numbers of its inputs, as far as they are known */
  constructor(
    { opType = '', name = '', output, attribute }: Message<'NodeProto'>,
    readonly known: readonly (Known | undefined)[],
    readonly opset: number,
  ) {
    this.op = opType
    this.name = name || output[0] || opType
    this.outputs = output
    this.#attributes = new Map(attribute.map(entry => [entry.name ?? '', entry]))
  }

  attribute(name: string): Message<'AttributeProto'> | undefined {
    return this.#attributes.get(name)
  }

  tensor(tensor: Message<'TensorProto'>): Known {
    return knownOf(tensor, this.name)
  }

  int(name: string, fallback: number): number {
    return this.attribute(name)?.i ?? fallback
  }

  float(name: string, fallback: number): number {
    return this.attribute(name)?.f ?? fallback
  }

  text(name: string, fallback: string): string {
    const { s } = this.attribute(name) ?? {}
    return s === undefined ? fallback : new TextDecoder().decode(s)
  }

  ints(name: string): readonly number[] | undefined {
    return this.attribute(name)?.ints
  }

  floatsOf(name: string): readonly number[] | undefined {
    return this.attribute(name)?.floats
  }

  /** Numbers that were an attribute in early versions of the operator, and are an input in later ones. */
  list(attribute: string, input: number): readonly number[] | undefined {
    const given = this.known[input]
    return given ? Array.from(given.values) : this.ints(attribute)
  }

  /** Of Squeeze, Unsqueeze and reductions. */
  axes(): readonly number[] | undefined {
    return this.list('axes', 1)
  }

  /** One number, of an attribute or an input. */
  scalar(attribute: string, input: number, fallback: number): number {
    return this.known[input]?.values[0] ?? this.float(attribute, fallback)
  }

  /** @throws FormatError for what is no part of the tensor */
  slice(dims: Shape): Cut {
    const starts = this.list('starts', 1)
    const ends = this.list('ends', 2)
    if (starts === undefined || ends === undefined) throw new FormatError('its bounds are computed')
    const axes =
      this.known.length > 3 && this.known[3] ? this.list('axes', 3)! : (this.ints('axes') ?? starts.map((_, i) => i))
    const steps = this.list('steps', 4) ?? starts.map(() => 1)
    const [start, stop, step] = [dims.map(() => 0), [...dims], dims.map(() => 1)]
    axes.forEach((given, i) => {
      const axis = given < 0 ? given + dims.length : given
      const inside = (at: number): number => Math.min(Math.max(at < 0 ? at + dims[axis] : at, 0), dims[axis])
      if (!(axis in dims) || !(steps[i] >= 1)) throw new FormatError(`it does not take part of axis ${given} forwards`)
      start[axis] = inside(starts[i])
      stop[axis] = inside(ends[i])
      step[axis] = steps[i]
    })
    const sizes = start.map((at, axis) => Math.ceil((stop[axis] - at) / step[axis]))
    if (sizes.some(size => !(size >= 1))) throw new FormatError('nothing is left')
    return { start, dims: sizes, step }
  }
}
