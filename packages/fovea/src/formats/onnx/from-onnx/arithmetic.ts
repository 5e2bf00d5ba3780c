/** @file Activations and arithmetic, element by element, and reductions. */
import type { Value } from '../../../graph/graph.js'
import { elements, formatShape, sameShape } from '../../../graph/types.js'
import type { OpName } from '../../../ops/index.js'
import { type Computed, dimsOf, isKnown, isStored, like, nhwc, type OnnxValue, plain } from '../reading.js'
import { axisOf, computed, type NodeReading, needed, type Row, refuse, sameValue } from './row.js'

const map =
  (op: OpName): Row =>
  at => {
    const x = computed(at, 0)
    return like(x, at.reading.emit(op, [x.value], {}, at.node.name))
  }

/** x · factor + shift */
function scaledBy({ node, reading }: NodeReading, x: Value, factor: number, shift: number): Value {
  const product = factor === 1 ? x : reading.emit('multiply', [x, reading.builder.constant(factor)], {}, node.name)
  return shift === 0 ? product : reading.emit('add', [product, reading.builder.constant(shift)], {}, node.name)
}

/** Two values whose axes lie alike, or one beside numbers. @param change of the numbers */
function binary(at: NodeReading, op: 'add' | 'multiply', change?: (x: number) => number): Computed {
  const { node, inputs, reading } = at
  const isComputed = (value: OnnxValue | undefined) => value !== undefined && !isKnown(value) && !isStored(value)
  const first = isComputed(inputs[0]) ? 0 : 1
  const x = computed(at, first)
  if (isComputed(inputs[1 - first])) {
    const y = computed(at, 1 - first)
    const alike = x.layout === y.layout && x.value.type.shape.length === y.value.type.shape.length
    const sameOrder = x.layout !== 'chw' || (y.layout === 'chw' && sameShape(x.chw, y.chw))
    if (!alike || !sameOrder) refuse(`${formatShape(dimsOf(x))} and ${formatShape(dimsOf(y))} do not lie alike`)
    if (change !== undefined) refuse('it divides by a computed value')
    return like(x, reading.emit(op, [x.value, y.value], {}, node.name))
  }
  const other = needed(at, 1 - first)
  if (other.dims.length > x.value.type.shape.length)
    refuse(`numbers of ${formatShape(other.dims)} have more axes than images`)
  const numbers = change ? { ...other, values: Float32Array.from(other.values, change) } : other
  return like(x, reading.emit(op, [x.value, reading.beside(numbers, x)], {}, node.name))
}

const reduction =
  (op: 'reduceMean' | 'reduceSum' | 'reduceMax'): Row =>
  at => {
    const x = computed(at, 0)
    const { node, reading } = at
    const keepDims = node.int('keepdims', 1) !== 0
    const given = node.axes() ?? []
    if (given.length === 0) refuse('it reduces the batch as well')
    const axes = given.map(axis => axisOf(x, axis)).sort((a, b) => a - b)
    if (axes.includes(0)) refuse('it reduces the batch as well')
    const isPool = op === 'reduceMean' && keepDims && x.layout === 'nhwc' && axes.join() === '1,2'
    if (isPool) return nhwc(reading.emit('globalAveragePool', [x.value], {}, node.name))
    const value = reading.emit(op, [x.value], { axes, keepDims }, node.name)
    if (keepDims) return like(x, value)
    if (x.layout === 'nhwc' && !(axes.includes(1) && axes.includes(2)))
      refuse('axes of images are left without their order')
    return plain(value)
  }

export const arithmetic: Readonly<Record<string, Row>> = {
  Relu: map('relu'),
  Sigmoid: map('sigmoid'),
  HardSwish: map('hardSwish'),
  Gelu: at => (at.node.text('approximate', 'none') === 'none' ? map('gelu')(at) : refuse('it is approximated')),
  Tanh: at => {
    const x = computed(at, 0)
    const half = at.reading.emit('sigmoid', [scaledBy(at, x.value, 2, 0)], {}, at.node.name)
    return like(x, scaledBy(at, half, 2, -1))
  },
  LeakyRelu: at => {
    const { node, reading } = at
    const x = computed(at, 0)
    const above = reading.emit('relu', [x.value], {}, node.name)
    const below = reading.emit('relu', [scaledBy(at, x.value, -1, 0)], {}, node.name)
    return like(x, reading.emit('add', [above, scaledBy(at, below, -node.float('alpha', 0.01), 0)], {}, node.name))
  },
  // All limits are relu6 of something else.
  Clip: at => {
    const { node, reading } = at
    const x = computed(at, 0)
    const [low, high] = [
      node.scalar('min', 1, Number.NEGATIVE_INFINITY),
      node.scalar('max', 2, Number.POSITIVE_INFINITY),
    ]
    if (low === 0 && high > 1e30) return like(x, reading.emit('relu', [x.value], {}, node.name))
    if (!(low > -1e30 && high < 1e30 && high > low)) refuse(`it limits to ${low} … ${high}`)
    const unit = (high - low) / 6
    const inside = reading.emit('relu6', [scaledBy(at, x.value, 1 / unit, -low / unit)], {}, node.name)
    return like(x, scaledBy(at, inside, unit, low))
  },
  HardSigmoid: at => {
    const { node, reading } = at
    const x = computed(at, 0)
    const [alpha, beta] = [node.float('alpha', 0.2), node.float('beta', 0.5)]
    const six = reading.emit('relu6', [scaledBy(at, x.value, 6 * alpha, 6 * beta)], {}, node.name)
    return like(x, scaledBy(at, six, 1 / 6, 0))
  },
  Mul: at => {
    const { inputs, node, reading } = at
    // x · sigmoid(x), as exporters write SiLU.
    for (const [i, j] of [
      [0, 1],
      [1, 0],
    ]) {
      const [x, y] = [inputs[i], inputs[j]]
      if (x === undefined || y === undefined || !('value' in x) || !('value' in y)) continue
      if (y.value.node.op === 'sigmoid' && sameValue(y.value.node.inputs[0], x.value)) {
        return like(x, reading.emit('silu', [x.value], {}, node.name))
      }
    }
    return binary(at, 'multiply')
  },
  Add: at => binary(at, 'add'),
  Sub: at => {
    const second = at.inputs[1]
    if (second !== undefined && isKnown(second)) return binary(at, 'add', x => -x)
    const x = computed(at, 1)
    const negative = like(x, scaledBy(at, x.value, -1, 0))
    return binary({ ...at, inputs: [at.inputs[0], negative] }, 'add')
  },
  Div: at => {
    const second = at.inputs[1]
    return second !== undefined && isKnown(second)
      ? binary(at, 'multiply', x => 1 / x)
      : refuse('it divides by a computed value')
  },
  ReduceMean: reduction('reduceMean'),
  ReduceSum: reduction('reduceSum'),
  ReduceMax: reduction('reduceMax'),
  Softmax: at => {
    const { node, reading } = at
    const x = computed(at, 0)
    const axis = node.int('axis', node.opset < 13 ? 1 : -1)
    const last = x.value.type.shape.length - 1
    if (axisOf(x, axis) !== last) refuse(`it is over axis ${axis}, not over the last one or the channels of images`)
    if (node.opset < 13 && x.layout !== 'plain' && elements(dimsOf(x).slice(2)) > 1) refuse('it is over whole images')
    return like(x, reading.emit('softmax', [x.value], {}, node.name))
  },
}
