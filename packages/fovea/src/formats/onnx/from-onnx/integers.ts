/** @file Between floats and integers. */
import { elements } from '../../../graph/types.js'
import type { Known } from '../known.js'
import { isKnown, like, type OnnxValue } from '../reading.js'
import { computed, known, needed, type Row, refuse } from './row.js'

export const integers: Readonly<Record<string, Row>> = {
  QuantizeLinear: at => {
    const { node, reading } = at
    const x = computed(at, 0)
    const [scale, zeroPoint] = [needed(at, 1), known(at, 2)]
    if (scale.values.length !== 1) refuse('an activation has several scales')
    const dtype = zeroPoint?.type ?? 'uint8'
    if (dtype !== 'uint8' && dtype !== 'int8') refuse(`it makes ${dtype}`)
    const given = [
      reading.builder.constant(scale.values[0]),
      reading.builder.constant(zeroPoint?.values[0] ?? 0, [], dtype as 'uint8'),
    ]
    return like(x, reading.emit('quantize', [x.value, ...given], { axis: null, dtype }, node.name))
  },
  DequantizeLinear: at => {
    const {
      node,
      reading,
      inputs: [x],
    } = at
    const [scale, zeroPoint] = [needed(at, 1), known(at, 2)]
    if (x !== undefined && isKnown(x)) return storedOf(x, scale, zeroPoint, node.int('axis', 1))
    const integers = computed(at, 0)
    if (scale.values.length !== 1) refuse('an activation has several scales')
    const { dtype } = integers.value.type
    const given = [
      reading.builder.constant(scale.values[0]),
      reading.builder.constant(zeroPoint?.values[0] ?? 0, [], dtype),
    ]
    return like(integers, reading.emit('dequantize', [integers.value, ...given], { axis: null }, node.name))
  },
}

/** Integers of the file as they are, where a layer can compute with them; else the floats that they stand for. */
function storedOf(integers: Known, scale: Known, zeroPoint: Known | undefined, axis: number): OnnxValue {
  const { dims, values } = integers
  const own = axis < 0 ? axis + dims.length : axis
  const many = scale.values.length > 1
  if (many && scale.values.length !== dims[own]) refuse(`${scale.values.length} scales for ${dims[own]} indices`)
  const isPlain =
    (integers.type === 'int8' || integers.type === 'int32') && (zeroPoint?.values.every(z => z === 0) ?? true)
  if (isPlain && dims.length > 0 && (!many || own === 0)) {
    return { integers, scales: Float32Array.from({ length: dims[0] }, (_, c) => scale.values[many ? c : 0]) }
  }
  const run = many ? elements(dims.slice(own + 1)) : values.length
  const floats = Float32Array.from(values, (q, i) => {
    const c = many ? Math.floor(i / run) % scale.values.length : 0
    return (q - (zeroPoint?.values[zeroPoint.values.length > 1 ? c : 0] ?? 0)) * scale.values[c]
  })
  return { ...integers, type: 'float32', values: floats }
}
