/** @file A batch in parts that run one after another, for less memory: their gradients are added up, the last part updates. */
import type { Value } from '../../graph/graph.js'
import { accumulate } from '../../ops/accumulate.js'
import type { StepBuilder } from '../step-builder.js'
import type { ParameterGradient } from './gradient.js'

export class Accumulation {
  /** @param parts of a batch; 1: it is run whole, and nothing is added to the graph */
  constructor(readonly parts: number) {}

  /** The sums over the parts so far. Each lies in the slot `NAME:gradient`, and begins anew with the first part. */
  sum(builder: StepBuilder, gradients: readonly ParameterGradient[]): readonly ParameterGradient[] {
    if (this.parts === 1) return gradients
    const firstPart = builder.scalar('firstPart', ({ part }) => (part === 0 ? 1 : 0))
    return gradients.map(({ parameter, gradient }) => {
      const { name } = parameter.node
      const before = builder.buffer(`${name}:gradient`, parameter.type.shape, { type: 'zeros' })
      const sum = builder.emit(accumulate, [before, gradient, firstPart], {}, `${name}.sum`)
      builder.update(before, sum)
      return { parameter, gradient: sum }
    })
  }

  /** A scalar: 1 at the part that updates, else 0. There is none where each does. */
  lastPart(builder: StepBuilder): Value | undefined {
    const { parts } = this
    return parts === 1 ? undefined : builder.scalar('lastPart', ({ part }) => (part === parts - 1 ? 1 : 0))
  }
}
