/** @file Where the time of a program goes, by kind of operation, and as a trace that Chrome draws (chrome://tracing). */
import type { Engine } from 'fovea'
import { GraphBuilder, ops } from 'fovea/engine'
import type { OnednnProgram, StepProfile } from 'fovea-onednn'
import { type Column, formatTable } from './table.js'

/** All executions of one kind of operation in a run. */
export interface ProfileRow {
  /** The operator, and oneDNN's or our implementation. */
  readonly op: string
  readonly implementation: string
  readonly count: number
  /** A mean over the threads that work on it. */
  readonly ms: number
  readonly gflops: number
  readonly gigabytesPerSecond: number
  /** How near it comes to what the machine can do at best, by arithmetic or by memory, whichever limits it more. */
  readonly roofline: number
}

/** What the machine does at best, measured. */
export interface Peaks {
  readonly gflops: number
  readonly gigabytesPerSecond: number
}

/** The rows of a profile, the longest first. */
export function profileRows(steps: readonly StepProfile[], peaks: Peaks, threads: number): ProfileRow[] {
  const kinds = new Map<string, { steps: StepProfile[]; seconds: number }>()
  for (const step of steps) {
    const key = `${step.node.op} ${step.implementation}`
    const kind = kinds.get(key) ?? { steps: [], seconds: 0 }
    kind.steps.push(step)
    kind.seconds += secondsOf(step, threads)
    kinds.set(key, kind)
  }
  return [...kinds.values()]
    .map(({ steps: same, seconds }) => {
      const sum = (key: 'multiplyAdds' | 'bytes'): number => same.reduce((total, step) => total + step[key], 0)
      const gflops = (2 * sum('multiplyAdds')) / seconds / 1e9
      const gigabytesPerSecond = sum('bytes') / seconds / 1e9
      const [{ node, implementation }] = same
      return {
        ...{ op: node.op, implementation, count: same.length, ms: 1000 * seconds, gflops, gigabytesPerSecond },
        roofline: Math.max(gflops / peaks.gflops, gigabytesPerSecond / peaks.gigabytesPerSecond),
      }
    })
    .filter(({ ms }) => ms > 0)
    .sort((a, b) => b.ms - a.ms)
}

/** A mean over the threads: a step that they share is measured on one of them, one that runs slice by slice on each. */
function secondsOf({ executions }: StepProfile, threads: number): number {
  const sum = executions.reduce((total, { duration }) => total + duration, 0)
  return new Set(executions.map(({ thread }) => thread)).size > 1 ? sum / threads : sum
}

/** For people: rows of at least half a percent, and the rest in one. */
export function formatProfile(rows: readonly ProfileRow[], peaks: Peaks): string {
  const total = rows.reduce((sum, { ms }) => sum + ms, 0)
  const shown = rows.filter(({ ms }) => ms >= total / 200)
  const rest = total - shown.reduce((sum, { ms }) => sum + ms, 0)
  const right = 'right'
  const columns: readonly Column[] = [
    { title: 'operation' },
    { title: 'implementation', shrinkTo: 16 },
    { title: 'count', align: right },
    { title: 'ms', align: right },
    { title: '%', align: right },
    { title: 'GFLOP/s', align: right },
    { title: 'GB/s', align: right },
    { title: 'of peak', align: right },
  ]
  const share = (ms: number): string => ((100 * ms) / total).toFixed(1)
  const lines = shown.map(({ op, implementation, count, ms, gflops, gigabytesPerSecond, roofline }) => [
    op,
    implementation,
    String(count),
    ms.toFixed(2),
    share(ms),
    gflops === 0 ? '' : gflops.toFixed(0),
    gigabytesPerSecond.toFixed(1),
    `${(100 * roofline).toFixed(0)} %`,
  ])
  const others = ['others', '', String(rows.length - shown.length), rest.toFixed(2), share(rest), '', '', '']
  const peak = `peak, measured: ${peaks.gflops.toFixed(0)} GFLOP/s in float32, ${peaks.gigabytesPerSecond.toFixed(0)} GB/s from memory`
  return `${formatTable(columns, [...lines, others])}\n${peak}; above 100 % is read from the cache`
}

/** Chrome's trace format: one complete event for each execution, a row for each thread. */
export function chromeTrace(steps: readonly StepProfile[]): string {
  const events = steps.flatMap(({ node, implementation, executions }) =>
    executions.map(({ thread, start, duration }) => ({
      ...{ name: node.name, cat: node.op, ph: 'X', pid: 1, tid: thread },
      ...{ ts: 1e6 * start, dur: 1e6 * duration, args: { op: node.op, implementation } },
    })),
  )
  return JSON.stringify({ traceEvents: events, displayTimeUnit: 'ms' })
}

/** Times a convolution that waits for arithmetic only, and an addition that waits for memory only. */
export async function measurePeaks(engine: Engine): Promise<Peaks> {
  const batch = 2 * engine.threads
  const convolution = new GraphBuilder()
  const image = convolution.input('image', [batch, 28, 28, 128])
  const weight = convolution.parameter('weight', [128, 128, 5, 5], { type: 'zeros' }) // 3×3 may take fewer products
  const attrs = { stride: [1, 1], padding: [2, 2, 2, 2], dilation: [1, 1], groups: 1 } as const
  convolution.output('logits', convolution.emit(ops.conv2d, [image, weight], attrs))

  const addition = new GraphBuilder()
  const shape = [32, 1 << 20] // 128 MiB a tensor
  addition.output('sum', addition.emit(ops.add, [addition.input('a', shape), addition.input('b', shape)], {}))

  const zeros = (length: number): Float32Array => new Float32Array(length)
  const multiplyAdds = batch * 28 * 28 * 128 * 128 * 25
  const numbers = 32 * (1 << 20)
  const arithmetic = await fastest(engine, convolution, 'conv2d', { image: zeros(batch * 28 * 28 * 128) })
  const memory = await fastest(engine, addition, 'add', { a: zeros(numbers), b: zeros(numbers) })
  return { gflops: (2 * multiplyAdds) / arithmetic / 1e9, gigabytesPerSecond: (3 * 4 * numbers) / memory / 1e9 }
}

/** Seconds that the node of an operator takes, at best of five. */
async function fastest(
  engine: Engine,
  builder: GraphBuilder,
  op: string,
  feeds: Record<string, Float32Array>,
): Promise<number> {
  const program = (await engine.compile(builder.build())) as OnednnProgram
  program.profiling = true
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    await program.run(feeds, [])
    const step = program
      .profile()
      .find(({ node, multiplyAdds }) => node.op === op && (op !== 'conv2d' || multiplyAdds > 0))
    if (step) best = Math.min(best, secondsOf(step, engine.threads))
  }
  program.dispose()
  return best
}
