/** @file Max pooling. The place of each maximum is an output, so that the gradient needs neither x nor y again. */
import { ShapeError } from '../errors.js'
import type { Shape } from '../graph/types.js'
import { letters, noAxes } from './axes.js'
import { perImage } from './batch.js'
import { defineOp } from './define.js'
import { expectShape, expectType } from './expect.js'
import { forEachPooled, type PoolingAttributes, pooledShape } from './pooling.js'

function checkedShape(shape: Shape, attrs: PoolingAttributes): Shape {
  const pooled = pooledShape(shape, attrs)
  const [kh, kw] = attrs.kernel
  if (kh * kw > 256) throw new ShapeError(`a window has at most 256 places, ${kh}×${kw} has ${kh * kw}`)
  return pooled
}

/** Outputs: the maxima, and the place ky·kw + kx of the first maximum in each window (uint8). Padding never wins. */
export const maxPool = defineOp<PoolingAttributes>({
  name: 'maxPool',
  traits: ['selection'],
  batch: perImage([0], [0, 1]),
  memory: [],
  axes: letters('n..c -> n..c n..c'),
  infer: ([x], attrs) => {
    const shape = checkedShape(x.shape, attrs)
    return [
      { shape, dtype: x.dtype },
      { shape, dtype: 'uint8' },
    ]
  },
  gradient: ({ builder, node, attrs, inputs: [x], outputs: [, places], gradients: [dy] }) => [
    dy && builder.emit(maxPoolGradient, [dy, places], { ...attrs, shape: x.type.shape }, `${node.name}.dx`),
  ],
  reference: ([x], [y, places], attrs) => {
    const channels = x.shape[3]
    y.data.fill(Number.NEGATIVE_INFINITY)
    places.data.fill(255)
    const seen = new Uint8Array(y.data.length)
    forEachPooled(x.shape, y.shape, attrs, (xOffset, yOffset, place) => {
      for (let c = 0; c < channels; c++) {
        const value = x.data[xOffset + c]
        const to = yOffset + c
        if (seen[to] === 1 && !(value > y.data[to]) && !Number.isNaN(value)) continue
        seen[to] = 1
        y.data[to] = value
        places.data[to] = place
      }
    })
  },
})

/** dx of the input's `shape`, from dy and the places of the maxima. */
export const maxPoolGradient = defineOp<PoolingAttributes & { readonly shape: Shape }>({
  name: 'maxPoolGradient',
  batch: perImage([0, 1]),
  memory: [],
  axes: noAxes,
  infer: ([dy, places], attrs) => {
    const pooled = checkedShape(attrs.shape, attrs)
    expectShape("the output's gradient", dy, pooled)
    expectShape('the places of the maxima', places, pooled)
    expectType('the places of the maxima', places, 'uint8')
    return [{ shape: attrs.shape, dtype: dy.dtype }]
  },
  reference: ([dy, places], [dx], attrs) => {
    const channels = dx.shape[3]
    forEachPooled(dx.shape, dy.shape, attrs, (xOffset, yOffset, place) => {
      for (let c = 0; c < channels; c++) {
        if (places.data[yOffset + c] === place) dx.data[xOffset + c] += dy.data[yOffset + c]
      }
    })
  },
})
