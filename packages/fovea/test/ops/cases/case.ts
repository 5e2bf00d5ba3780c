/**
 * @file What a case of an operator is (PyTorch's OpInfo is the model): sample inputs and attributes, invalid inputs with
 * the expected message, which inputs have a gradient. Generic tests of every engine run over the same table.
 */
import { type HostArray, zeroArray } from '../../../src/graph/arrays.js'
import type { HalfType } from '../../../src/graph/float16.js'
import type { Attributes, Graph, Node, Value } from '../../../src/graph/graph.js'
import { type DType, isFloat, type TensorType } from '../../../src/graph/types.js'
import { GraphBuilder } from '../../../src/ops/builder.js'
import { cast } from '../../../src/ops/cast.js'
import { type OpName, opDefinition } from '../../../src/ops/index.js'
import { normalAt, permutation, randomAt, randomKey, streamOf } from '../../../src/random.js'

/** An input of a sample: its type, and its values as a function of index and random key. */
export interface InputSpec extends TensorType {
  readonly value: (index: number, key: number) => number
}

export interface Sample {
  /** What is special about it: 'stride 3, odd size'. */
  readonly name: string
  readonly inputs: readonly InputSpec[]
  readonly attrs?: Attributes
}

export interface InvalidSample {
  readonly name: string
  readonly inputs: readonly TensorType[]
  readonly attrs?: Attributes
  /** A part of the expected message. */
  readonly message: string
}

/** All cases of one operator. Gradient operators need no samples: they are run wherever the operator is. */
export interface OperatorSpec {
  readonly op: OpName
  /** The inputs that have a gradient; none for what is never differentiated. */
  readonly differentiable: readonly number[]
  readonly samples: readonly Sample[]
  readonly invalid: readonly InvalidSample[]
}

/** One sample of one operator. */
export interface OperatorCase extends Sample {
  readonly op: OpName
  readonly differentiable: readonly number[]
}

const spec =
  (value: InputSpec['value'], dtype: DType = 'float32') =>
  (...shape: number[]): InputSpec => ({ shape, dtype, value })

/** Standard normal. */
export const normal = spec((i, key) => normalAt(key, i))

/** Normal, three wide, and away from where the derivative of an activation jumps. */
export const smooth = spec((i, key) => {
  const x = 3 * normalAt(key, i)
  const kink = [-3, 0, 3, 6].find(at => Math.abs(x - at) < 0.01)
  return kink === undefined ? x : kink + 0.05
})

/** Uniform in [0.5, 1.5): variances, weights of norms. */
export const positive = spec((i, key) => 0.5 + randomAt(key, i))

/** Small whole numbers, so that maxima are tied. */
export const tied = spec((i, key) => Math.floor(3 * randomAt(key, i)))

/** What an overflow leaves. */
export const noNumber = spec(i => [Number.NaN, Number.POSITIVE_INFINITY][i % 2])

/** What is no number, and what is beyond all. */
export const extremes: InputSpec = {
  shape: [5],
  dtype: 'float32',
  value: i => [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -1e30][i],
}

export const constant = (value: number, dtype: DType = 'float32', ...shape: number[]): InputSpec =>
  spec(() => value, dtype)(...shape)

/** Class indices. */
export const classIndices = (classes: number, batch: number): InputSpec =>
  spec((i, key) => Math.floor(classes * randomAt(key, i)), 'int32')(batch)

/** One-hot rows. */
export const oneHot = (batch: number, classes: number): InputSpec =>
  spec((i, key) => (i % classes === Math.floor(classes * randomAt(key, Math.floor(i / classes))) ? 1 : 0))(
    batch,
    classes,
  )

/** Rows that sum to 1. */
export const probabilities = (batch: number, classes: number): InputSpec =>
  spec((i, key) => {
    const row = i - (i % classes)
    const total = Array.from({ length: classes }, (_, c) => randomAt(key, row + c)).reduce((a, b) => a + b)
    return randomAt(key, i) / total
  })(batch, classes)

/** A type without values, for invalid samples. */
export const type = (dtype: DType, ...shape: number[]): TensorType => ({ shape, dtype })
export const float = (...shape: number[]): TensorType => type('float32', ...shape)

/** The values of an input: the same on every machine, and all of them exact in float32. */
function valuesOf(input: InputSpec, key: number): HostArray {
  const values = zeroArray(input)
  for (let i = 0; i < values.length; i++) values[i] = input.value(i, key)
  return values
}

export interface CaseGraph {
  readonly graph: Graph
  readonly feeds: Readonly<Record<string, HostArray>>
  /** What the rule gave: the gradient by each input, or undefined. */
  readonly gradients: readonly (Value | undefined)[]
}

export interface CaseGraphOptions {
  /** Whether the gradient by each input that has one is an output. Default true. */
  readonly gradient?: boolean
  /** The type to which floats are cast before the operator, as mixed precision does, and from which its outputs are. */
  readonly half?: HalfType
}

/**
 * The graph of a case. Inputs are `in0`, `in1`, …, and `dy`, the gradient of output 0; outputs are `out0`, `out1`, …, and
 * `gradient0`, … for the inputs that have one.
 */
export function caseGraph(sample: OperatorCase, { gradient = true, half }: CaseGraphOptions = {}): CaseGraph {
  const builder = new GraphBuilder()
  const feeds: Record<string, HostArray> = {}
  const feed = (name: string, input: InputSpec): Value => {
    feeds[name] = valuesOf(input, randomKey(streamOf(`${sample.op} ${sample.name}`), streamOf(name)))
    return builder.input(name, input.shape, input.dtype)
  }
  const definition = opDefinition(sample.op)
  const narrow = (value: Value): Value =>
    half !== undefined && value.type.dtype === 'float32' ? builder.emit(cast, [value], { dtype: half }) : value
  const output = (name: string, value: Value): void =>
    builder.output(name, half === value.type.dtype ? builder.emit(cast, [value], { dtype: 'float32' }) : value)
  const inputs = sample.inputs.map((input, i) =>
    definition.float32Inputs?.includes(i) ? feed(`in${i}`, input) : narrow(feed(`in${i}`, input)),
  )
  const attrs = sample.attrs ?? {}
  const outputs = builder.emitAll(definition, inputs, attrs, 'node')
  outputs.forEach((value, i) => {
    output(`out${i}`, value)
  })
  let gradients: readonly (Value | undefined)[] = []
  const differentiable = sample.differentiable.length > 0
  if (gradient && differentiable && definition.gradient !== undefined && isFloat(outputs[0].type.dtype)) {
    const dy = narrow(feed('dy', normal(...outputs[0].type.shape)))
    const node: Node = outputs[0].node
    gradients = definition.gradient({ builder, node, attrs, inputs, outputs, gradients: [dy] })
    gradients.forEach((value, i) => {
      if (value !== undefined) output(`gradient${i}`, value)
    })
  }
  return { graph: builder.build(), feeds, gradients }
}

/** At most `count` indices of an array, spread at random. */
export const someIndices = (length: number, count: number, name: string): number[] =>
  length <= count ? [...Array(length).keys()] : [...permutation(length, streamOf(name)).subarray(0, count)]
