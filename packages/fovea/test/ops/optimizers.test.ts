/** @file Three steps of each optimizer against PyTorch 1.13's (float64), or a recurrence written out here. */
import { expect, test } from 'vitest'
import type { Attributes } from '../../src/graph/graph.js'
import type { OpName } from '../../src/ops/index.js'
import { evaluate, scalar, vector } from './evaluate.js'

const start = [1, -2, 0.5]
const gradientAt = (step: number): number[] => [0.1, -0.2, 0.3].map(g => g * step)

/** The parameter after three steps; `slots` are what the optimizer remembers. */
async function threeSteps(op: OpName, attrs: Attributes, slots: number[][], counts = false): Promise<number[]> {
  let state = [start, ...slots]
  const [one, learningRate] = [scalar(1), scalar(0.1)]
  for (let step = 1; step <= 3; step++) {
    const [parameter, ...remembered] = state.map(values => vector(...values))
    const scalars = counts ? [one, learningRate, scalar(step)] : [one, learningRate]
    state = await evaluate(op, [parameter, vector(...gradientAt(step)), ...scalars, ...remembered], attrs)
  }
  return state[0]
}

const zeros = [0, 0, 0]
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }

test.each([
  {
    name: 'SGD',
    run: () => threeSteps('sgd', { momentum: 0, nesterov: false, weightDecay: 0 }, []),
    expected: [0.94, -1.88, 0.32],
  },
  {
    name: 'SGD with momentum and decay',
    run: () => threeSteps('sgd', { momentum: 0.9, nesterov: false, weightDecay: 0.01 }, [zeros]),
    expected: [0.8993527889999999, -1.7987055779999999, 0.21207136949999997],
  },
  {
    name: 'SGD with Nesterov momentum and decay',
    run: () => threeSteps('sgd', { momentum: 0.9, nesterov: true, weightDecay: 0.01 }, [zeros]),
    expected: [0.8465500125509999, -1.6931000251019999, 0.0597377848005],
  },
  {
    name: 'Adam with decay in the gradient',
    run: () => threeSteps('adam', { ...adam, decoupled: false }, [zeros, zeros], true),
    expected: [0.7066100121218836, -1.7066589460477004, 0.2074736037732126],
  },
  {
    name: 'AdamW',
    run: () => threeSteps('adam', { ...adam, decoupled: true }, [zeros, zeros], true),
    expected: [0.7049811127213315, -1.7019841014659551, 0.20647959954749642],
  },
])('$name', async ({ run, expected }) => {
  const parameter = await run()
  expected.forEach((value, i) => {
    expect(parameter[i]).toBeCloseTo(value, 12)
  })
})

test("RMSProp in TensorFlow's form", async () => {
  const attrs = { decay: 0.9, momentum: 0.8, epsilon: 1e-3, weightDecay: 0.01 }
  const expected = start.map((initial, i) => {
    let [parameter, meanSquare, velocity] = [initial, 1, 0]
    for (let step = 1; step <= 3; step++) {
      const g = gradientAt(step)[i] + 0.01 * parameter
      meanSquare += (1 - 0.9) * (g * g - meanSquare)
      velocity = 0.8 * velocity + (0.1 * g) / Math.sqrt(meanSquare + 1e-3)
      parameter -= velocity
    }
    return parameter
  })
  const parameter = await threeSteps('rmsProp', attrs, [[1, 1, 1], zeros])
  expected.forEach((value, i) => {
    expect(parameter[i]).toBeCloseTo(value, 12)
  })
})
