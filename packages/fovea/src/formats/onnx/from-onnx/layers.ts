/** @file Layers with weights. */
import type { Value } from '../../../graph/graph.js'
import { formatShape } from '../../../graph/types.js'
import { isSelection } from '../../../ops/index.js'
import { permuted } from '../../../ops/strided.js'
import type { Known } from '../known.js'
import { type Computed, dimsOf, isStored, like, nhwc, plain, type Stored } from '../reading.js'
import { computed, image, type NodeReading, needed, type Row, refuse } from './row.js'
import { padding, pair } from './windows.js'

/** A layer's bias, in integers where that is what they are steps of. */
function biasOf(at: NodeReading, i: number, out: number, x: Computed, weight: Stored | undefined): Value[] {
  const { inputs, reading } = at
  const bias = inputs[i]
  if (bias === undefined) return []
  const step = weight && stepOf(x.value)
  if (weight && step !== undefined && isStored(bias) && bias.integers.type === 'int32') {
    const expected = weight.scales.map(scale => scale * step)
    const isStep = bias.scales.every((scale, c) => Math.abs(scale - expected[c]) <= 1e-5 * scale)
    if (bias.scales.length === out && isStep) {
      const integers = reading.state(bias.integers, [out], bias.integers.values, { dtype: 'int32' })
      const scale = reading.state(
        { dims: [out], type: 'float32', values: weight.scales, name: '' },
        [out],
        weight.scales,
      )
      const product = reading.emit(
        'multiply',
        [scale, reading.builder.constant(step)],
        {},
        `${integers.node.name}.scale`,
      )
      return [reading.emit('dequantize', [integers, product], { axis: 0 }, `${integers.node.name}.float32`)]
    }
  }
  const numbers = needed(at, i)
  const count = numbers.values.length
  if (count !== out && count !== 1) refuse(`its bias has ${count} numbers for ${out} outputs`)
  const values = count === out ? numbers.values : new Float32Array(out).fill(numbers.values[0])
  return [reading.state(numbers, [out], values)]
}

/** What an integer of an activation stands for, if it is one. */
function stepOf({ node, index }: Value): number | undefined {
  if (node.op !== 'dequantize') return isSelection(node) && index === 0 ? stepOf(node.inputs[0]) : undefined
  const scale = node.inputs[1].node.attrs['value']
  return typeof scale === 'number' ? scale : Array.isArray(scale) ? (scale as readonly number[])[0] : undefined
}

function matrix(at: NodeReading, { isTransposed, factor = 1 }: { isTransposed: boolean; factor?: number }) {
  const { node, inputs, reading } = at
  const x = reading.rows(computed(at, 0), `${node.name}.rows`)
  const given = inputs[1]
  const stored = given !== undefined && isStored(given) && isTransposed && factor === 1 ? given : undefined
  const weight = stored?.integers ?? needed(at, 1)
  if (weight.dims.length !== 2) refuse(`its matrix is ${formatShape(weight.dims)}`)
  const [out, features] = isTransposed ? weight.dims : [...weight.dims].reverse()
  if (features !== x.value.type.shape[1])
    refuse(`the matrix ${formatShape(weight.dims)} does not fit ${formatShape(dimsOf(x))}`)
  const turned = isTransposed ? weight.values : permuted(weight.values, weight.dims, [1, 0])
  const values = reading.columns(factor === 1 ? turned : turned.map(w => w * factor), out, x)
  const w = stored ? reading.stored(stored, [out, features], values) : reading.state(weight, [out, features], values)
  return { x, w, out, stored }
}

export const layers: Readonly<Record<string, Row>> = {
  Conv: at => {
    const { node, inputs, reading } = at
    const x = image(at)
    const given = inputs[1]
    const stored = given !== undefined && isStored(given) ? given : undefined
    const weight = stored?.integers ?? needed(at, 1)
    if (weight.dims.length !== 4) refuse(`its weight is ${formatShape(weight.dims)}: only images have a form here`)
    const [stride, dilation] = [pair(node, 'strides'), pair(node, 'dilations')]
    const pads = padding(node, dimsOf(x).slice(2), weight.dims.slice(2), stride, dilation)
    const w = stored
      ? reading.stored(stored, weight.dims, weight.values)
      : reading.state(weight, weight.dims, weight.values)
    const values = [x.value, w, ...biasOf(at, 2, weight.dims[0], x, stored)]
    const attrs = { stride, padding: pads, dilation, groups: node.int('group', 1) }
    return nhwc(reading.emit('conv2d', values, attrs, node.name))
  },
  Gemm: at => {
    const { node, reading } = at
    if (node.int('transA', 0) !== 0) refuse('its input is transposed')
    const { x, w, out, stored } = matrix(at, {
      isTransposed: node.int('transB', 0) !== 0,
      factor: node.float('alpha', 1),
    })
    const beta = node.float('beta', 1)
    if (beta !== 1 && at.inputs[2] !== undefined) refuse(`beta is ${beta}`)
    return plain(reading.emit('linear', [x.value, w, ...biasOf(at, 2, out, x, stored)], {}, node.name))
  },
  MatMul: at => {
    if (computed(at, 0).value.type.shape.length !== 2) refuse('its input has more than two axes')
    const { x, w } = matrix(at, { isTransposed: false })
    return plain(at.reading.emit('linear', [x.value, w], {}, at.node.name))
  },
  BatchNormalization: at => {
    const { node, reading } = at
    const x = computed(at, 0)
    if (x.layout === 'chw') refuse('flattened images are read by a matrix only')
    if (node.int('training_mode', 0) !== 0) refuse('it is in training mode: export the model for inference')
    const [weight, bias, mean, variance] = [1, 2, 3, 4].map(i => needed(at, i))
    const state = (numbers: Known, kind: 'parameter' | 'buffer') =>
      reading.state(numbers, [numbers.values.length], numbers.values, { kind })
    const values = [
      x.value,
      state(weight, 'parameter'),
      state(bias, 'parameter'),
      state(mean, 'buffer'),
      state(variance, 'buffer'),
    ]
    // ONNX's momentum is the weight of the old value.
    const attrs = { epsilon: node.float('epsilon', 1e-5), momentum: 1 - node.float('momentum', 0.9) }
    return like(x, reading.emit('batchNorm', values, attrs, node.name))
  },
}
