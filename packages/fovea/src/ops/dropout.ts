/**
 * @file Dropout: elements vanish at random, the rest grow by 1/(1 − rate). Srivastava et al. 2014 (JMLR 15).
 * A model's graph holds it without a seed, as the identity; `passes/training-mode.ts` adds the seed. Which elements
 * vanish is a pure function of seed, stream and index, so the gradient is the same operator on dy.
 */
import { randomAt, randomKey } from '../random.js'
import { broadcastAxes } from './axes.js'
import { perImage } from './batch.js'
import { defineOp, type OpDefinition } from './define.js'
import { expectFloat } from './expect.js'
import { checkRandom, type RandomAttributes } from './random-attributes.js'

/** x, and optionally the seed (an int32 scalar). */
export const dropout: OpDefinition<RandomAttributes> = defineOp<RandomAttributes>({
  name: 'dropout',
  batch: perImage([0]),
  memory: [[0]],
  axes: ([x, seed], outputs) => (seed === undefined ? broadcastAxes([x], outputs) : []),
  traits: ['elementwise', 'random'],
  infer: ([x, seed], attrs) => {
    expectFloat('input', x)
    checkRandom(seed, attrs)
    return [x]
  },
  gradient: ({ builder, node, attrs, inputs: [, ...seed], gradients: [dy] }) => [
    dy && builder.emit(dropout, [dy, ...seed], attrs, `${node.name}.dx`),
  ],
  reference: ([x, seed], [y], { rate, stream }) => {
    if (seed === undefined) return y.data.set(x.data)
    const key = randomKey(seed.data[0], stream)
    const scale = 1 / (1 - rate)
    for (let i = 0; i < y.data.length; i++) y.data[i] = randomAt(key, i) >= rate ? x.data[i] * scale : 0
  },
})
