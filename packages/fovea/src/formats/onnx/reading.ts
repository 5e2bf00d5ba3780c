/**
 * @file Our graph as it grows from an ONNX file: values of theirs beside ours, and where their axes lie. Images are NCHW there and
 * NHWC here, so a transpose from one to the other is no node: the value is read as it lies.
 */
import { FormatError } from '../../errors.js'
import type { HostArray } from '../../graph/arrays.js'
import type { Attributes, Value } from '../../graph/graph.js'
import { type DType, elements, formatShape, type Shape } from '../../graph/types.js'
import type { Weights } from '../../models/model.js'
import { GraphBuilder } from '../../ops/builder.js'
import { type OpName, opDefinition } from '../../ops/index.js'
import { permuted } from '../../ops/strided.js'
import type { Known } from './known.js'

/**
 * A value that depends on an image. `plain`: its axes are ONNX's. `nhwc`: ONNX's are NCHW. `chw`: [batch, features], where ONNX's
 * features lie as `[channels, height, width]` and ours as [height, width, channels].
 */
export type Computed = { readonly value: Value } & (
  | { readonly layout: 'plain' | 'nhwc' }
  | { readonly layout: 'chw'; readonly chw: Shape }
)

/** Integers that stand for floats, with a scale for each index of the first axis. */
export interface Stored {
  readonly integers: Known
  readonly scales: Float32Array
}

/** What a name of the file stands for. */
export type OnnxValue = Known | Computed | Stored

export const isKnown = (value: OnnxValue): value is Known => 'dims' in value
export const isStored = (value: OnnxValue): value is Stored => 'integers' in value

const TO_NHWC = [0, 2, 3, 1]

/** No tensor of a classifier is larger; engines take memory for what is computed. */
const MAX_ELEMENTS = 2 ** 31

/** The sizes of a value as ONNX has them. */
export function dimsOf({ value, layout }: Computed): Shape {
  const { shape } = value.type
  return layout === 'nhwc' ? [shape[0], shape[3], shape[1], shape[2]] : shape
}

export const plain = (value: Value): Computed => ({ value, layout: 'plain' })
export const nhwc = (value: Value): Computed => ({ value, layout: 'nhwc' })
/** A value whose axes lie as another's. */
export const like = (x: Computed, value: Value): Computed => ({ ...x, value })

export class Reading {
  readonly builder = new GraphBuilder()
  readonly weights: Weights = new Map()
  /** What was joined, along which axis of ours, and to what. */
  readonly joins: { readonly parts: readonly Value[]; readonly axis: number; readonly value: Value }[] = []
  readonly #states = new Map<HostArray, Map<string, Value>>()

  /** A node of ours. */
  emit(op: OpName, inputs: readonly Value[], attrs: Attributes, name: string): Value {
    const value = this.builder.emit(opDefinition(op), inputs, attrs, name)
    if (elements(value.type.shape) > MAX_ELEMENTS)
      throw new FormatError(`${formatShape(value.type.shape)} is too large`)
    return value
  }

  /** Numbers as a parameter, or as a buffer those that are no weights. The same numbers become one. */
  state(
    known: Known,
    shape: Shape,
    values: HostArray,
    { dtype = 'float32', kind = 'parameter' as 'parameter' | 'buffer' } = {},
  ): Value {
    const made = this.#states.get(known.values) ?? new Map<string, Value>()
    this.#states.set(known.values, made)
    const key = `${shape.join()} ${dtype} ${values === known.values ? '' : 'changed'}`
    const there = made.get(key)
    if (there !== undefined) return there
    let name = known.name
    for (let i = 2; this.weights.has(name); i++) name = `${known.name}:${i}`
    const add = kind === 'buffer' || known.isConstant ? this.builder.buffer : this.builder.parameter
    const value = add.call(this.builder, name, shape, { type: 'zeros' }, dtype as DType)
    this.weights.set(
      name,
      dtype === 'float32' && !(values instanceof Float32Array) ? Float32Array.from(values) : values,
    )
    made.set(key, value)
    return value
  }

  /** Known numbers beside a computed value: with its axes, or a scalar. */
  beside(known: Known, { layout, ...x }: Computed): Value {
    const { dims, values } = known
    if (values.length === 1) return this.builder.constant(values[0])
    const trimmed = dims.slice(dims.findIndex(size => size !== 1))
    if (layout === 'plain') return this.state(known, trimmed, values)
    if (layout === 'chw') {
      const [channels, height, width] = (x as { chw: Shape }).chw
      if (trimmed.length === 1)
        return this.state(known, trimmed, permuted(values, [1, channels, height, width], TO_NHWC))
      throw new FormatError(`numbers of ${formatShape(dims)} do not fit to flattened images`)
    }
    const whole = [...Array<number>(4 - trimmed.length).fill(1), ...trimmed]
    const shape = TO_NHWC.map(axis => whole[axis])
    const own = shape.slice(shape.findIndex(size => size !== 1))
    // Unless one axis alone has several indices, their order changes.
    const moved = whole.filter(size => size !== 1).length > 1 ? permuted(values, whole, TO_NHWC) : values
    return this.state(known, own, moved)
  }

  /** Integers as the weight of a layer: `dequantize` of a parameter, with its scales in a buffer. */
  stored({ integers, scales }: Stored, shape: Shape, values: HostArray): Value {
    const weight = this.state(integers, shape, values, { dtype: 'int8' })
    const name = `${weight.node.name}_scale`
    const known: Known = { dims: [scales.length], type: 'float32', values: scales, name }
    const scale = this.state(known, [scales.length], scales, { kind: 'buffer' })
    return this.emit('dequantize', [weight, scale], { axis: 0 }, `${weight.node.name}.float32`)
  }

  /** As rows: [batch, features]. */
  rows(x: Computed, name: string): Computed {
    const { shape } = x.value.type
    if (shape.length === 2) return x
    const value = this.emit('flatten', [x.value], {}, name)
    const [, height, width, channels] = shape
    const keepsOrder = x.layout !== 'nhwc' || height * width === 1 || channels === 1
    return keepsOrder ? plain(value) : { value, layout: 'chw', chw: [channels, height, width] }
  }

  /** The columns of a matrix [out, in] in the order in which we have the features of `x`. */
  columns(values: HostArray, out: number, x: Computed): HostArray {
    return x.layout === 'chw' ? permuted(values, [out, ...x.chw], TO_NHWC) : values
  }
}
