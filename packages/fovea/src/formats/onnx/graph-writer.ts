/**
 * @file An ONNX graph as it grows: nodes, initializers and unique names, and our values beside theirs. What depends on an image
 * and has four axes is NCHW there; weights, and all else, are as in our graph.
 */
import { type HostArray, zeroArray } from '../../graph/arrays.js'
import type { DType, Shape, TensorType } from '../../graph/types.js'
import { permuted } from '../../ops/strided.js'
import type { Draft } from './messages.js'
import { indicesDraft, tensorDraft } from './tensor.js'

/** NHWC to NCHW, and back. */
export const TO_NCHW = [0, 3, 1, 2]
const TO_NHWC = [0, 2, 3, 1]

/** A value of our graph, and what it is called in ONNX's. */
export interface Exported {
  readonly type: TensorType
  /** Of a node's output. What is known when the model is written has none until somebody reads it. */
  readonly name?: string
  /** Its numbers, if they depend on no image. */
  readonly known?: { readonly name: string; readonly values: HostArray }
  /** Whether its axes are NCHW. */
  readonly isImage: boolean
}

/** A float of an attribute; plain numbers are whole. */
export interface Float {
  readonly float: number
}
export type OnnxAttributes = Readonly<Record<string, number | readonly number[] | Float>>

/** AttributeProto.AttributeType */
const attributeTypes = { float: 1, int: 2, ints: 7 } as const

export class GraphWriter {
  readonly nodes: Draft<'NodeProto'>[] = []
  readonly initializers: Draft<'TensorProto'>[] = []
  readonly #names: Set<string>
  readonly #written = new Map<HostArray, Map<string, string>>()

  /**
   * @param compute what floats are computed in
   * @param reserved names that nodes do not take by themselves
   */
  constructor(
    readonly compute: 'float32' | 'float16',
    reserved: readonly string[],
  ) {
    this.#names = new Set(reserved)
  }

  /** @returns the name of the node's first output */
  node(opType: string, inputs: readonly string[], attributes: OnnxAttributes, name: string): string {
    const output = this.#unique(name)
    const attribute = Object.entries(attributes).map(([key, value]): Draft<'AttributeProto'> => {
      if (typeof value === 'number') return { name: key, type: attributeTypes.int, i: value }
      if ('float' in value) return { name: key, type: attributeTypes.float, f: value.float }
      return { name: key, type: attributeTypes.ints, ints: value }
    })
    this.nodes.push({ opType, name: output, input: inputs, output: [output], attribute })
    return output
  }

  /** Whole numbers: axes, sizes. */
  indices(values: readonly number[], name: string): string {
    const unique = this.#unique(name)
    this.initializers.push(indicesDraft(unique, values))
    return unique
  }

  /** Floats of the computation's type, in a shape. */
  floats(values: readonly number[], shape: Shape, name: string): string {
    return this.tensor({ shape, dtype: 'float32' }, Float32Array.from(values), name)
  }

  /** A tensor's numbers; float32 becomes the computation's type. */
  tensor({ shape, dtype }: TensorType, values: HostArray, name: string): string {
    const written = this.#written.get(values) ?? new Map<string, string>()
    this.#written.set(values, written)
    const key = shape.join()
    const known = written.get(key)
    if (known !== undefined) return known
    const unique = this.#unique(name)
    this.initializers.push(tensorDraft(unique, this.typeOf(dtype), shape, values))
    written.set(key, unique)
    return unique
  }

  /** What a type of ours is in this graph. */
  typeOf = (dtype: DType): DType => (dtype === 'float32' ? this.compute : dtype)

  /** A value with its axes as our graph has them. */
  plain(value: Exported): string {
    if (!value.isImage) return this.#nameOf(value)
    return isFlat(value.type.shape)
      ? this.node('Reshape', [value.name!, this.indices(reshaped(value.type.shape), 'shape')], {}, `${value.name}.nhwc`)
      : this.node('Transpose', [value.name!], { perm: TO_NHWC }, `${value.name}.nhwc`)
  }

  /**
   * A value as an operand of one with four axes, NCHW. With fewer axes it is aligned at the last one, as NumPy broadcasts.
   * @returns undefined for what is computed and has fewer axes
   */
  image(value: Exported): string | undefined {
    if (value.isImage) return value.name!
    const { type, known } = value
    if (known === undefined) {
      return type.shape.length === 4
        ? this.node('Transpose', [value.name!], { perm: TO_NCHW }, `${value.name}.nchw`)
        : undefined
    }
    if (type.shape.length === 0) return this.#nameOf(value)
    const shape = [...Array<number>(4 - type.shape.length).fill(1), ...type.shape]
    const values = zeroArray({ ...type, shape })
    values.set(permuted(known.values, shape, TO_NCHW))
    return this.tensor({ ...type, shape: TO_NCHW.map(axis => shape[axis]) }, values, known.name)
  }

  #nameOf({ name, known, type }: Exported): string {
    return name ?? this.tensor(type, known!.values, known!.name)
  }

  #unique(name: string): string {
    let unique = name
    for (let i = 2; this.#names.has(unique); i++) unique = `${name}:${i}`
    this.#names.add(unique)
    return unique
  }
}

/** Whether each image is a pixel, or has one channel: then the order of its elements is the same in both layouts. */
const isFlat = ([, height, width, channels]: Shape): boolean => height * width === 1 || channels === 1

/** A shape for Reshape: the batch, which may be any, and the rest. */
export const reshaped = ([, ...rest]: Shape): number[] => [0, ...rest]
