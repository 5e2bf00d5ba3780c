/** @file The fully connected layer: y = x · weightᵀ + bias, weight [out, in]. */
import { ShapeError } from '../errors.js'
import { formatShape, type TensorType } from '../graph/types.js'
import { letters, noAxes } from './axes.js'
import { perImage } from './batch.js'
import { defineOp } from './define.js'
import { expectFloat, expectOneType, expectRank, expectShape, expectType } from './expect.js'
import { addProduct, transpose } from './matrix.js'

function checkWeight(features: number, weight: TensorType): void {
  expectRank('weight', weight, ['out', 'in'])
  if (weight.shape[1] !== features) {
    throw new ShapeError(
      `input has ${features} features, weight ${formatShape(weight.shape)} expects ${weight.shape[1]}`,
    )
  }
}

/** x [batch, in], weight [out, in], and optionally bias [out]. */
export const linear = defineOp<Record<string, never>>({
  name: 'linear',
  float32Inputs: [2],
  batch: perImage([0]),
  memory: [],
  axes: letters('ni oi o -> no'),
  infer: ([x, weight, bias]) => {
    expectFloat('input', x)
    expectOneType({ input: x, weight })
    expectType('bias', bias, 'float32')
    expectRank('input', x, ['batch', 'features'])
    checkWeight(x.shape[1], weight)
    if (bias !== undefined) expectShape('bias', bias, [weight.shape[0]])
    return [{ shape: [x.shape[0], weight.shape[0]], dtype: x.dtype }]
  },
  multiplyAdds: ([x, weight]) => x.shape[0] * weight.shape[0] * weight.shape[1],
  gradient: ({ builder, node, inputs: [x, weight, bias], gradients: [dy] }) => {
    if (dy === undefined) return []
    const dx = builder.emit(linearInputGradient, [dy, weight], {}, `${node.name}.dx`)
    return [dx, ...builder.emitAll(linearWeightGradient, [x, dy], { bias: bias !== undefined }, `${node.name}.dw`)]
  },
  reference: ([x, weight, bias], [y]) => {
    const [out, features] = weight.shape
    const sums = Float64Array.from(y.data, (_, i) => bias?.data[i % out] ?? 0)
    addProduct(Float64Array.from(x.data), Float64Array.from(weight.data), sums, x.shape[0], out, features)
    y.data.set(sums)
  },
})

/** dx = dy · weight. */
export const linearInputGradient = defineOp<Record<string, never>>({
  name: 'linearInputGradient',
  batch: perImage([0]),
  memory: [],
  axes: noAxes,
  infer: ([dy, weight]) => {
    expectOneType({ "the output's gradient": dy, weight })
    expectRank('weight', weight, ['out', 'in'])
    expectShape("the output's gradient", dy, [dy.shape[0], weight.shape[0]])
    return [{ shape: [dy.shape[0], weight.shape[1]], dtype: dy.dtype }]
  },
  multiplyAdds: ([dy, weight]) => dy.shape[0] * weight.shape[0] * weight.shape[1],
  reference: ([dy, weight], [dx]) => {
    const [out, features] = weight.shape
    const sums = new Float64Array(dx.data.length)
    addProduct(Float64Array.from(dy.data), transpose(weight.data, out, features), sums, dy.shape[0], features, out)
    dx.data.set(sums)
  },
})

/** dweight = dyᵀ · x, and the bias's gradient, the sum of dy over the batch, if `bias`. */
export const linearWeightGradient = defineOp<{ readonly bias: boolean }>({
  name: 'linearWeightGradient',
  batch: perImage([0, 1], []),
  memory: [],
  axes: noAxes,
  infer: ([x, dy], { bias }) => {
    expectOneType({ input: x, "the output's gradient": dy })
    expectRank('input', x, ['batch', 'features'])
    expectRank("the output's gradient", dy, ['batch', 'out'])
    expectShape("the output's gradient", dy, [x.shape[0], dy.shape[1]])
    const weight: TensorType = { shape: [dy.shape[1], x.shape[1]], dtype: 'float32' }
    return bias ? [weight, { shape: [dy.shape[1]], dtype: 'float32' }] : [weight]
  },
  multiplyAdds: ([x, dy]) => x.shape[0] * x.shape[1] * dy.shape[1],
  reference: ([x, dy], [dw, db]) => {
    const [batch, features] = x.shape
    const out = dy.shape[1]
    const columns = transpose(dy.data, batch, out)
    const sums = new Float64Array(dw.data.length)
    addProduct(columns, transpose(x.data, batch, features), sums, out, features, batch)
    dw.data.set(sums)
    if (db === undefined) return
    for (let o = 0; o < out; o++) {
      db.data[o] = columns.subarray(o * batch, (o + 1) * batch).reduce((sum, value) => sum + value, 0)
    }
  },
})
