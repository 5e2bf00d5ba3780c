/**
 * @file Threads that run plans: workers that share one memory, each with an instance of the module. Number 0 runs a plan, the others
 * take part where it shares work out (native/team.cc). The thread that asks only waits for a message; where workers cannot have its
 * memory, it runs plans itself.
 */
import { EngineError } from 'fovea/engine'
import { Heap, sharedMemory } from './heap.js'
import { checkInterface, type Simd } from './module.js'
import { nextTask, sharesMemory, startWorker, type TeamWorker } from './platform.js'
import type { FromWorker } from './worker-text.js'

/** What the module keeps below the heap fits into so many pages. */
const FIRST_PAGES = 64
const STACK_BYTES = 1 << 20
/** As many as native/team.cc has places for. */
export const MOST_THREADS = 64

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * So many threads with one memory, for one variant of SIMD. All programs on them put their plans and buffers into its heap, and run one after
 * another. A thread that fails ends the team: the next engine of its kind starts another.
 */
export class Team {
  readonly heap: Heap
  readonly memory: WebAssembly.Memory
  readonly #instance: WebAssembly.Instance
  readonly #stacks: readonly number[]
  /** Of the first run on; workers that nobody waits for keep no process alive. */
  #workers: readonly TeamWorker[] = []
  /** Runs, in their order. */
  readonly #waiting: Waiting[] = []
  #broken: Error | undefined

  constructor(
    readonly module: WebAssembly.Module,
    readonly threads: number,
  ) {
    const { memory, mostPages } = sharedMemory(FIRST_PAGES)
    this.memory = memory
    this.#instance = new WebAssembly.Instance(module, { env: { memory } })
    checkInterface(this.#instance)
    const { hire, __heap_base } = this.#instance.exports as {
      readonly hire: (others: number) => void
      readonly __heap_base: WebAssembly.Global
    }
    hire(threads - 1)
    this.heap = new Heap(memory, __heap_base.value, mostPages)
    this.#stacks = Array.from({ length: threads }, () => this.heap.take(STACK_BYTES) + STACK_BYTES)
  }

  /** Runs the plan at an address, after those that were asked for before. */
  async run(plan: number, refresh: boolean): Promise<void> {
    if (this.#broken) throw this.#broken
    if (!sharesMemory()) return this.#runHere(plan, refresh)
    if (this.#workers.length === 0) this.#start()
    await new Promise<void>((resolve, reject) => {
      if (this.#waiting.push({ resolve, reject }) === 1) for (const worker of this.#workers) worker.holdProcess(true)
      for (const worker of this.#workers) worker.post({ plan, refresh })
    })
  }

  /** On the thread that asks; between two runs it does what else there is to do. */
  async #runHere(plan: number, refresh: boolean): Promise<void> {
    await nextTask()
    try {
      const { run } = this.#instance.exports as { readonly run: (plan: number, refresh: boolean) => void }
      run(plan, refresh)
    } catch (error) {
      this.#break(error instanceof Error ? error.message : String(error))
      throw this.#broken
    }
  }

  #start(): void {
    const { module, memory } = this
    this.#workers = this.#stacks.map((stack, number) =>
      startWorker({ module, memory, number, stack }, message => this.#heard(message)),
    )
  }

  #heard({ problem }: FromWorker): void {
    if (problem === undefined) this.#waiting.shift()?.resolve()
    else this.#break(problem)
    if (this.#waiting.length === 0) for (const worker of this.#workers) worker.holdProcess(false)
  }

  /** A thread that has failed never does its part, for which the others wait. */
  #break(problem: string): void {
    this.#broken = new EngineError(`the wasm engine failed: ${problem}`)
    for (const worker of this.#workers) worker.terminate()
    for (const { reject } of this.#waiting.splice(0)) reject(this.#broken)
    for (const [key, team] of teams) if (team === this) teams.delete(key)
  }
}

/** The one piece of global state: engines with as many threads and the same SIMD share a team, whose workers outlive them. */
const teams = new Map<string, Team>()

/** The team of so many threads. @param read is called if there is none yet */
export function teamOf(threads: number, simd: Simd, read: () => WebAssembly.Module): Team {
  const key = `${simd} ${threads}`
  const team = teams.get(key) ?? new Team(read(), threads)
  teams.set(key, team)
  return team
}
