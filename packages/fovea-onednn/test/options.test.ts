/**
 * @file Claims about the options of a training step: each with every other leads to the states that the reference engine comes
 * to, with a break in the middle too; and none adds more to a compiled step than its arithmetic.
 */
import { describe, expect, test } from 'vitest'
import { connectionNodes } from '../../fovea/src/compress/connections.js'
import type { Engine } from '../../fovea/src/engines/engine.js'
import { REORDER } from '../../fovea/src/engines/planned/lowering.js'
import { referenceEngine } from '../../fovea/src/engines/reference/reference.js'
import { type Graph, parameterNodes, stateNodes } from '../../fovea/src/graph/graph.js'
import { createModel } from '../../fovea/src/models/registry.js'
import { opDefinition, ops } from '../../fovea/src/ops/index.js'
import { precisions } from '../../fovea/src/passes/mixed-precision.js'
import { normalAt } from '../../fovea/src/random.js'
import type { ParameterGroup } from '../../fovea/src/train/features/parameter-groups.js'
import type { Pruning } from '../../fovea/src/train/features/pruning.js'
import type { WeightAverage } from '../../fovea/src/train/features/weight-average.js'
import type { OptimizerOptions } from '../../fovea/src/train/optimizers/index.js'
import { readState, type State, writeState } from '../../fovea/src/train/state.js'
import { type TrainingGraphOptions, trainingGraph } from '../../fovea/src/train/training-graph.js'
import { small } from '../../fovea/test/train/small-model.js'
import { onednnEngine, onednnStatus } from '../src/index.js'
import type { NativeProgram } from '../src/program.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

const model = small()
const batchSize = 4
const steps = 5
/** With a scale at which the gradients of float16 overflow, if there is one. */
const overflowAt = 1
const resumeAt = 3

/** Trains some steps; where it resumes, a new program goes on with the state of the first. `skipped`: steps that did not count. */
async function afterSteps(
  engine: Engine,
  options: TrainingGraphOptions,
  resumes: boolean,
): Promise<State & { readonly skipped: number }> {
  const { accumulate = 1 } = options
  const graph = trainingGraph(model.graph, options)
  let program = await engine.compile(graph)
  await writeState(program, graph, model.weights)
  let skipped = 0
  for (let step = 0; step < steps; step++) {
    if (resumes && step === resumeAt) {
      const { weights, slots } = await readState(program, graph, model)
      program.dispose()
      program = await engine.compile(graph)
      await writeState(program, graph, weights, slots)
    }
    const lossScale = { scale: step === overflowAt ? 2 ** 100 : 1024, goodSteps: 0, skippedSteps: skipped }
    const at = { epoch: 0, step, steps, epochs: 1, seed: 0, learningRate: 0.05, lossScale }
    for (let part = 0; part < accumulate; part++) {
      const images = batchSize / accumulate
      const first = step * batchSize + part * images
      const feeds = {
        image: Float32Array.from({ length: images * 192 }, (_, i) => normalAt(first + 1, i)),
        label: Int32Array.from({ length: images }, (_, i) => (first + i) % 3),
        ...graph.feeds({ ...at, part }),
      }
      const { finite } = await program.run(feeds)
      if (finite?.[0] === 0 && part === accumulate - 1) skipped++
    }
  }
  const state = await readState(program, graph, model)
  program.dispose()
  return { ...state, skipped }
}

/** How far the states are apart, by the root mean square of each (at least 0.1), and where most. */
function farthest(a: State, b: State): { readonly name: string; readonly error: number } {
  const [expected, got] = [a, b].map(({ weights, slots }) => new Map([...weights, ...slots]))
  expect([...got.keys()]).toEqual([...expected.keys()])
  const errors = [...expected].map(([name, values]) => {
    const size = Math.max(0.1, Math.hypot(...values) / Math.sqrt(values.length))
    return { name, error: Math.max(...Array.from(values, (x, i) => Math.abs(x - got.get(name)![i]))) / size }
  })
  return errors.reduce((worst, one) => (one.error <= worst.error ? worst : one))
}

const averages: readonly (WeightAverage | undefined)[] = [
  undefined,
  { type: 'moving', decay: 0.9 },
  { type: 'lookahead', every: 2, decay: 0.5, power: 1 },
]
const groupings: readonly (readonly ParameterGroup[])[] = [
  [],
  [
    { match: 'conv.weight', rate: 0 },
    { match: 'fc.*', rate: 2, weightDecay: 0.01 },
  ],
]
/** In turns over the combinations. Where gradients are nearly 0, Adam goes by their sign: a larger epsilon takes it out. */
const optimizers: readonly OptimizerOptions[] = [
  { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-3 },
  { type: 'adamw', epsilon: 0.1 },
  { type: 'rmsprop', weightDecay: 1e-3 },
  { type: 'sgd' },
  { type: 'adam', epsilon: 0.1 },
]

/** In turns over the combinations, as optimizers are. */
const prunings: readonly (Pruning | undefined)[] = [
  undefined,
  { type: 'gradual', amount: 0.5, importance: 'movement' },
  { type: 'kept' },
  { type: 'gradual', amount: 0.5, importance: 'taylor' },
]

const combinations = [undefined, 0.1].flatMap(clipNorm =>
  [1, 2].flatMap(accumulate =>
    averages.flatMap(average =>
      groupings.map(groups => ({
        name: [
          ...(clipNorm === undefined ? [] : ['cut']),
          ...(accumulate === 1 ? [] : ['in parts']),
          average?.type ?? 'no average',
          ...(groups.length === 0 ? [] : ['groups']),
        ].join(', '),
        options: { batchSize, accumulate, groups, ...(clipNorm && { clipNorm }), ...(average && { average }) },
      })),
    ),
  ),
)

describe.skipIf(!available).each(['float32', 'mixed_float16'] as const)('%s', precision => {
  test.each(combinations.map(({ name, options }, i) => [name, options, optimizers[i % 5], prunings[i % 4]] as const))(
    '%s',
    async (_, options, optimizer, pruning) => {
      const also = { optimizer, ...(pruning && { pruning }) }
      const all = { ...options, ...also, precision, ...(precision === 'float32' ? {} : { keepFloat32: ['fc'] }) }
      const engine = onednnEngine({ threads: 2 })
      const expected = await afterSteps(referenceEngine(), all, false)
      const straight = await afterSteps(engine, all, false)
      for (const { skipped } of [expected, straight]) expect(skipped).toBe(precision === 'float32' ? 0 : 1)
      const { error, name } = farthest(expected, straight)
      // Sums of gradients are kept as they are, where all else holds a twentieth of them: the learning rate.
      const float16Error = name.endsWith(':gradient') ? 0.05 : 0.01
      expect(error, name).toBeLessThan(precision === 'float32' ? 1e-5 : float16Error)
      expect(await afterSteps(engine, all, true)).toEqual(straight)
    },
  )
})

/** How many steps of each kind a training step is compiled to, reorders as one kind, and for which operators these are. */
async function stepsOf(graph: Graph) {
  const program = (await onednnEngine({ threads: 2 }).compile(graph)) as NativeProgram
  program.dispose()
  const kinds: Record<string, number> = {}
  const reordersFor = new Set<string>()
  for (const { implementation, node } of program.plan.loops.flatMap(({ steps }) => steps)) {
    const [kind] = implementation.split(' ')
    kinds[kind] = (kinds[kind] ?? 0) + 1
    if (kind === REORDER) reordersFor.add(node.op)
  }
  return { kinds, reordersFor }
}

/** What `more` has beyond `less`; fewer of a kind are negative. */
function added(less: Record<string, number>, more: Record<string, number>): Record<string, number> {
  const kinds = [...new Set([...Object.keys(less), ...Object.keys(more)])]
  const differences = kinds.map(kind => [kind, (more[kind] ?? 0) - (less[kind] ?? 0)] as const)
  return Object.fromEntries(differences.filter(([, count]) => count !== 0))
}

describe.skipIf(!available).each(['resnet20', 'efficientnet-b0'])('%s', async name => {
  const { graph } = createModel(name, { input: [32, 32, 3] })
  const step = (more: Partial<TrainingGraphOptions> = {}) =>
    stepsOf(trainingGraph(graph, { batchSize, optimizer: { type: 'sgd', momentum: 0.9 }, ...more }))
  const plain = await step()
  const parameters = parameterNodes(graph).length
  const running = stateNodes(graph).length - parameters
  /** A sum of squares for each parameter, one number added to the next, and what comes of them. */
  const norm = { reduce: parameters, binary: parameters - 1, gradientScale: 1 }
  const [moving, lookahead] = averages.slice(1) as WeightAverage[]

  test.each<readonly [string, Partial<TrainingGraphOptions>, Record<string, number>]>([
    ['cut gradients', { clipNorm: 5 }, norm],
    ['a batch in parts', { batchSize: 2 * batchSize, accumulate: 2 }, { accumulate: parameters, binary: 1 }],
    ['a moving average', { average: moving }, { lerp: parameters + running }],
    ['lookahead', { average: lookahead }, { lerp: 2 * (parameters + running) }],
    [
      'all of them',
      { batchSize: 2 * batchSize, accumulate: 2, clipNorm: 5, average: lookahead },
      // Whether the step counts goes into what drives the average: two numbers.
      { ...norm, binary: norm.binary + 2, accumulate: parameters, lerp: 2 * (parameters + running) },
    ],
  ])('%s: to the plain step is added its arithmetic, no reorder, no copy', async (_, more, expected) => {
    expect(added(plain.kinds, (await step(more)).kinds)).toEqual(expected)
  })

  test('masks: a product for each layer, and its copy into the weights', async () => {
    const layers = connectionNodes(graph).length
    const { kinds } = await step({ pruning: { type: 'kept' } })
    expect(added(plain.kinds, kinds)).toEqual({ binary: layers, copy: layers })
  })

  test('weights, gradients, slots and averages lie alike: nothing is reordered to be summed or updated', async () => {
    const updating = new Set([
      'productSum',
      ...Object.keys(ops).filter(op => opDefinition(op).traits?.includes('update')),
    ])
    for (const precision of precisions) {
      for (const average of averages) {
        const all = { batchSize: 2 * batchSize, accumulate: 2, clipNorm: 5, precision, ...(average && { average }) }
        const { kinds, reordersFor } = await step(all)
        expect([...reordersFor].filter(op => updating.has(op))).toEqual([])
        expect(kinds['copy'] ?? 0).toBe(plain.kinds['copy'] ?? 0)
        // Statistics of norms stay where a step of float16 overflows; of all else the optimizers take care.
        expect(kinds['where'] ?? 0).toBe(precision === 'mixed_float16' ? running : 0)
      }
    }
  })
})
