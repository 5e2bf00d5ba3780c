/** @file Dropout and stochastic depth (native/kernels/random.h). */
import type { Value } from '../../../graph/graph.js'
import { elements } from '../../../graph/types.js'
import type { RandomAttributes } from '../../../ops/random-attributes.js'
import type { Lower } from './operator.js'

/** Without its seed the operator is the identity. Elements of a unit share one decision. */
const random =
  (unit: (x: Value) => number): Lower =>
  (to, node) => {
    const [x, seed] = node.inputs
    if (seed === undefined) {
      to.writeOnto(x)
      return
    }
    const { rate, stream } = node.attrs as unknown as RandomAttributes
    const { shape } = x.type
    to.kernel('dropout', {
      ...{ x: to.read(x), seed: to.read(seed), y: to.write(), elements: elements(shape), type: to.float(x.type) },
      ...{ stream, unit: unit(x), imageElements: elements(shape.slice(1)), rate },
    })
  }

export const randoms = {
  dropout: random(() => 1),
  stochasticDepth: random(x => elements(x.type.shape.slice(1))),
} as const satisfies Record<string, Lower>
