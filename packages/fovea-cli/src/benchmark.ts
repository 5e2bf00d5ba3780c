/** @file Times the steps of a compiled model on images of noise. What is timed is what training and evaluation run. */
import {
  type Engine,
  evaluationGraph,
  type Feeds,
  type Graph,
  graphMultiplyAdds,
  initialWeights,
  type MemoryUse,
  type Model,
  normalAt,
  type Program,
  stateNodes,
  trainingGraph,
} from 'fovea'
import type { TrainingPrecision } from './usage.js'

export interface BenchmarkOptions {
  readonly mode: 'train' | 'infer'
  readonly batch: number
  readonly precision: TrainingPrecision
  readonly memory?: MemoryUse
  /** Measured steps. */
  readonly steps: number
  /** Called with the warm program and its feeds once all is measured. */
  readonly onProgram?: (program: Program, feeds: Feeds) => Promise<void>
}

export interface Benchmark extends Omit<BenchmarkOptions, 'memory' | 'steps' | 'onProgram'> {
  readonly model: string
  readonly engine: string
  readonly threads: number
  readonly msPerStep: { readonly min: number; readonly median: number; readonly p95: number }
  /** At the median. */
  readonly imagesPerSecond: number
  /** Convolutions' and matrix products' operations (two a multiply-add) at the median. */
  readonly gflops: number
  /** The process's highest resident size. */
  readonly peakMemoryBytes: number
}

/** Steps before the measurement: first runs touch fresh memory. */
const WARM_UP = 2

/** @throws EngineError for a step that needs more memory than there is */
export async function benchmark(model: Model, engine: Engine, options: BenchmarkOptions): Promise<Benchmark> {
  const { mode, batch, precision, memory, steps } = options
  const graph =
    mode === 'train' ? stepGraph(model, batch, precision, memory) : evaluationGraph(model.graph, batch, { precision })
  const program = engine.compile(graph)
  try {
    // One after another: a copy of all would count as memory of the step.
    for (const node of stateNodes(graph)) {
      for (const [name, values] of initialWeights({ ...graph, nodes: [node] }, 0)) await program.write(name, values)
    }
    const feeds = noise(model, mode, batch)
    const times: number[] = []
    for (let i = -WARM_UP; i < steps; i++) {
      const start = performance.now()
      await program.run(feeds)
      if (i >= 0) times.push(performance.now() - start)
    }
    await options.onProgram?.(program, feeds)
    const at = quantiles(times)
    const msPerStep = { min: at(0), median: at(0.5), p95: at(0.95) }
    return {
      ...{ model: model.name, mode, batch, precision },
      ...{ engine: engine.name, threads: engine.threads },
      msPerStep,
      imagesPerSecond: (1000 * batch) / msPerStep.median,
      gflops: (2 * graphMultiplyAdds(graph)) / msPerStep.median / 1e6,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    }
  } finally {
    program.dispose()
  }
}

const stepGraph = (
  model: Model,
  batchSize: number,
  precision: TrainingPrecision,
  memory: MemoryUse = 'standard',
): Graph =>
  trainingGraph(model.graph, {
    batchSize,
    precision,
    memory,
    optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
  })

/** Standard normal pixels, as normalized images are. */
function noise({ graph, preprocessing, labels }: Model, mode: 'train' | 'infer', batch: number): Feeds {
  const [height, width, channels] = preprocessing.size
  const image = Float32Array.from({ length: batch * height * width * channels }, (_, i) => normalAt(1, i))
  if (mode === 'infer') return { image }
  const label = Int32Array.from({ length: batch }, (_, i) => i % labels.length)
  const random = graph.nodes.some(({ op }) => op === 'dropout' || op === 'stochasticDepth')
  return { image, label, learningRate: 0.01, ...(random ? { seed: 1 } : {}) }
}

/** A function from a fraction to the sorted value there. */
function quantiles(values: readonly number[]): (fraction: number) => number {
  const sorted = [...values].sort((a, b) => a - b)
  return fraction => sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))]
}
