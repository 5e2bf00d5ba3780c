/**
 * @file Stochastic depth ("drop connect" in EfficientNet): a residual branch vanishes at random for whole images, the rest
 * grow by 1/(1 − rate). Huang et al. 2016 (arXiv 1603.09382); torchvision's mode "row". As for dropout, no seed means
 * the identity.
 */
import { ShapeError } from '../errors.js'
import { randomAt, randomKey } from '../random.js'
import { broadcastAxes } from './axes.js'
import { perImage } from './batch.js'
import { defineOp, type OpDefinition } from './define.js'
import { expectFloat } from './expect.js'
import { checkRandom, type RandomAttributes } from './random-attributes.js'

/** x, and optionally the seed (an int32 scalar). */
export const stochasticDepth: OpDefinition<RandomAttributes> = defineOp<RandomAttributes>({
  name: 'stochasticDepth',
  batch: perImage([0]),
  memory: [[0]],
  axes: ([x, seed], outputs) => broadcastAxes([x], outputs).slice(seed === undefined ? 0 : 1),
  traits: ['elementwise', 'random'],
  infer: ([x, seed], attrs) => {
    if (x.shape.length === 0) throw new ShapeError('input must have a batch axis, got a scalar')
    expectFloat('input', x)
    checkRandom(seed, attrs)
    return [x]
  },
  gradient: ({ builder, node, attrs, inputs: [, ...seed], gradients: [dy] }) => [
    dy && builder.emit(stochasticDepth, [dy, ...seed], attrs, `${node.name}.dx`),
  ],
  reference: ([x, seed], [y], { rate, stream }) => {
    if (seed === undefined) return y.data.set(x.data)
    const key = randomKey(seed.data[0], stream)
    const image = x.data.length / x.shape[0]
    for (let n = 0; n < x.shape[0]; n++) {
      const scale = randomAt(key, n) >= rate ? 1 / (1 - rate) : 0
      for (let i = n * image; i < (n + 1) * image; i++) y.data[i] = x.data[i] * scale
    }
  },
})
