/** @file Claims about laying a plan into memory: what native/engine.cc takes on trust is checked before. */
import { makePlan, type Plan } from 'fovea/engine'
import { describe, expect, test } from 'vitest'
import { KernelTarget } from '../../fovea/src/engines/planned/convolutions/kernel-target.js'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { layPlan } from '../src/lay-plan.js'

const target = new KernelTarget('wasm', 1)

/** The plan of x + x, whose step has so many operands. */
function planWith(operands: number): Plan {
  const builder = new GraphBuilder()
  const x = builder.input('x', [4])
  builder.output('y', builder.emit(ops.add, [x, x], {}))
  const plan = makePlan(builder.build(), target, {})
  const widened = plan.loops.map(loop => ({
    ...loop,
    steps: loop.steps.map(step => ({ ...step, operands: Array.from({ length: operands }, () => step.operands[0]) })),
  }))
  return { ...plan, loops: widened }
}

describe('the operands of a step', () => {
  const lay = (operands: number) => layPlan(planWith(operands), () => 0)

  test('24 have places', () => expect(lay(24).bytes).toBeGreaterThan(0))

  test('more are refused: they would be written beyond the end', () => {
    expect(() => lay(25)).toThrow(
      /^add '.*': a step of it has 25 operands, the wasm engine takes at most 24: use another engine$/,
    )
  })
})
