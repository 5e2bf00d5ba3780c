/** @file Times the steps of compiled models on images of noise. What is timed is what training and evaluation run. */
import {
  type Engine,
  evaluationGraph,
  type Feeds,
  type Graph,
  graphMultiplyAdds,
  type HostArray,
  initialLossScale,
  initialWeights,
  logitsOf,
  type MemoryUse,
  type Model,
  type Node,
  type Precision,
  type PrecisionOptions,
  type Program,
  type StepMoment,
  type TrainingGraph,
  trainingGraph,
  type Weights,
} from 'fovea'
import { elements, inputNodes, normalAt, stateNodes } from 'fovea/engine'
import type { Simd } from 'fovea-wasm'
import { type RowPrecision, rowPrecision } from './compare/row-types.js'
import { askedOf, type EngineName } from './engines.js'

export interface BenchmarkOptions extends Pick<PrecisionOptions, 'keepFloat32'> {
  readonly mode: 'train' | 'infer'
  readonly batch: number
  readonly precision: Precision
  readonly memory?: MemoryUse
  /** Measured steps. */
  readonly steps: number
  /** Default: random ones, as before training. */
  readonly weights?: Weights
  /** Called with the warm program and its feeds once all is measured. */
  readonly onProgram?: (program: Program, feeds: Feeds) => Promise<void>
}

export interface Benchmark extends Pick<BenchmarkOptions, 'mode' | 'batch'> {
  readonly precision: RowPrecision
  readonly model: string
  readonly engine: EngineName
  readonly threads: number
  /** Of the engine in WebAssembly. */
  readonly simd?: Simd
  readonly msPerStep: { readonly min: number; readonly median: number; readonly p95: number }
  /** At the median. */
  readonly imagesPerSecond: number
  /** Convolutions' and matrix products' operations (two a multiply-add) at the median. */
  readonly gflops: number
  /** The process's highest resident size. */
  readonly peakMemoryBytes: number
}

/** @throws EngineError for a step that needs more memory than there is */
export async function benchmark(model: Model, engine: Engine, options: BenchmarkOptions): Promise<Benchmark> {
  const { mode, batch, precision, steps } = options
  const graph = benchmarkGraph(model, options)
  const step = await timedStep(graph, engine, options.weights)
  try {
    const times: number[] = []
    for (let i = 0; i < steps; i++) times.push(await step.run())
    await options.onProgram?.(step.program, step.feeds)
    const at = quantiles(times)
    const msPerStep = { min: at(0), median: at(0.5), p95: at(0.95) }
    return {
      ...{ model: model.name, mode, batch, precision: rowPrecision(model, precision) },
      ...askedOf(engine),
      msPerStep,
      imagesPerSecond: (1000 * batch) / msPerStep.median,
      gflops: (2 * graphMultiplyAdds(graph)) / msPerStep.median / 1e6,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    }
  } finally {
    step.program.dispose()
  }
}

/** The step that is measured. */
export function benchmarkGraph(model: Model, options: Omit<BenchmarkOptions, 'steps'>): Graph {
  const { mode, batch, precision, keepFloat32, memory = 'standard' } = options
  const types = { precision, ...(keepFloat32 && { keepFloat32 }) }
  if (mode === 'infer') return evaluationGraph(model.graph, batch, types)
  const optimizer = { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const
  return trainingGraph(model.graph, { ...types, batchSize: batch, memory, optimizer })
}

/** A program that is warm, and what it is fed. */
export interface TimedStep {
  readonly program: Program
  readonly feeds: Feeds
  /** @returns the milliseconds that a step took */
  run(): Promise<number>
}

/** Steps before the measurement: first runs touch fresh memory. */
const WARM_UP = 2

/**
 * Compiles a graph of training or evaluation, and runs it until it is warm.
 * @param weights of the model. Default: as they start
 * @throws EngineError for a step that needs more memory than there is
 */
export async function timedStep(graph: Graph | TrainingGraph, engine: Engine, weights?: Weights): Promise<TimedStep> {
  const program = await engine.compile(graph)
  try {
    // One after another: a copy of all would count as memory of the step.
    for (const node of stateNodes(graph)) {
      const values = weights?.get(node.name) ?? initialWeights({ ...graph, nodes: [node] }, 0).get(node.name)
      if (values) await program.write(node.name, values)
    }
    const feeds = noise(graph)
    const run = async (): Promise<number> => {
      const start = performance.now()
      await program.run(feeds)
      return performance.now() - start
    }
    for (let i = 0; i < WARM_UP; i++) await run()
    return { program, feeds, run }
  } catch (error) {
    program.dispose()
    throw error
  }
}

/** Somewhere in a run: what the numbers that a step is fed follow from. */
export const someMoment: StepMoment = {
  ...{ epoch: 0, step: 100, part: 0, steps: 1000, epochs: 1, seed: 1, learningRate: 0.01 },
  lossScale: { ...initialLossScale, scale: 1024 },
}

/** Standard normal pixels, as normalized images are, labels of all classes, and the numbers of some moment. */
function noise(graph: Graph | TrainingGraph): Feeds {
  const [, classes] = logitsOf(graph).type.shape
  const numbers = 'feeds' in graph ? graph.feeds(someMoment) : {}
  return Object.fromEntries(inputNodes(graph).map(node => [node.name, numbers[node.name] ?? arrayOf(node, classes)]))
}

function arrayOf({ name, outputs: [{ shape, dtype }] }: Node, classes: number): HostArray {
  const length = elements(shape)
  if (name === 'image') return Float32Array.from({ length }, (_, i) => normalAt(1, i))
  if (dtype === 'int32') return Int32Array.from({ length }, (_, i) => i % classes)
  return Float32Array.from({ length }, (_, i) => (i % classes === Math.floor(i / classes) % classes ? 1 : 0))
}

/** A function from a fraction to the sorted value there. */
export function quantiles(values: readonly number[]): (fraction: number) => number {
  const sorted = [...values].sort((a, b) => a - b)
  return fraction => sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))]
}
