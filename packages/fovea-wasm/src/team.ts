/**
 * @file Threads that run plans: workers that share one memory, each with an instance of the module. Number 0 runs a plan, the others
 * take part where it shares work out (native/team.cc). The thread that asks only waits for a message.
 */
import { EngineError } from 'fovea/engine'
import { Heap, MOST_PAGES } from './heap.js'
import { checkInterface, type Variant } from './module.js'
import { builtin } from './platform.js'
import { type FromWorker, type ToWorker, workerText } from './worker-text.js'

/** What the module keeps below the heap fits into so many pages. */
const FIRST_PAGES = 64
const STACK_BYTES = 1 << 20
/** As many as native/team.cc has places for. */
export const MOST_THREADS = 64

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class Team {
  readonly heap: Heap
  readonly memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MOST_PAGES, shared: true })
  readonly #stacks: readonly number[]
  /** Of the first run on; workers that nobody waits for keep no process alive. */
  #workers: readonly InstanceType<typeof import('node:worker_threads').Worker>[] = []
  /** Runs, in their order. */
  readonly #waiting: Waiting[] = []
  #broken: Error | undefined

  constructor(
    readonly module: WebAssembly.Module,
    readonly threads: number,
  ) {
    const instance = new WebAssembly.Instance(module, { env: { memory: this.memory } })
    checkInterface(instance)
    const { hire, __heap_base } = instance.exports as {
      readonly hire: (others: number) => void
      readonly __heap_base: WebAssembly.Global
    }
    hire(threads - 1)
    this.heap = new Heap(this.memory, __heap_base.value)
    this.#stacks = Array.from({ length: threads }, () => this.heap.take(STACK_BYTES) + STACK_BYTES)
  }

  /** Runs the plan at an address, after those that were asked for before. */
  async run(plan: number, refresh: boolean): Promise<void> {
    if (this.#broken) throw this.#broken
    if (this.#workers.length === 0) this.#start()
    await new Promise<void>((resolve, reject) => {
      if (this.#waiting.push({ resolve, reject }) === 1) for (const worker of this.#workers) worker.ref()
      const message: ToWorker = { plan, refresh }
      for (const worker of this.#workers) worker.postMessage(message)
    })
  }

  #start(): void {
    const { Worker } = builtin('node:worker_threads')!
    this.#workers = this.#stacks.map((stack, number) => {
      const message: ToWorker = { module: this.module, memory: this.memory, number, stack }
      const worker = new Worker(workerText, { eval: true, workerData: message, name: `fovea-wasm ${number}` })
      worker.on('message', ({ problem }: FromWorker) => this.#ended(problem))
      worker.on('error', error => this.#ended(error.message))
      worker.unref()
      return worker
    })
  }

  #ended(problem: string | undefined): void {
    if (problem === undefined) this.#waiting.shift()?.resolve()
    else this.#break(problem)
    if (this.#waiting.length === 0) for (const worker of this.#workers) worker.unref()
  }

  /** A thread that has failed never does its part, for which the others wait. */
  #break(problem: string): void {
    this.#broken = new EngineError(`the wasm engine failed: ${problem}`)
    for (const worker of this.#workers) void worker.terminate()
    for (const { reject } of this.#waiting.splice(0)) reject(this.#broken)
    for (const [key, team] of teams) if (team === this) teams.delete(key)
  }
}

/** The one piece of global state: engines with as many threads share a team, whose workers outlive them. */
const teams = new Map<string, Team>()

/** The team of so many threads. @param read is called if there is none yet */
export function teamOf(threads: number, variant: Variant, read: () => WebAssembly.Module): Team {
  const key = `${variant} ${threads}`
  const team = teams.get(key) ?? new Team(read(), threads)
  teams.set(key, team)
  return team
}
