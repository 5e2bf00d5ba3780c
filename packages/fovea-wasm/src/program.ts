/** @file A program of this engine: its plan and its buffers lie in the memory of a team, which runs it. */
import { type Machine, type Plan, PlannedProgram } from 'fovea/engine'
import { CANCELLED, layPlan } from './lay-plan.js'
import type { Team } from './team.js'

class WasmMachine implements Machine {
  readonly #plan: number
  readonly #addresses: readonly number[]
  readonly #taken: number[] = []
  #running: Promise<void> | undefined

  constructor(
    readonly team: Team,
    readonly plan: Plan,
  ) {
    const { memory, buffers } = plan
    const take = (bytes: number): number => {
      const address = team.heap.take(bytes)
      this.#taken.push(address)
      return address
    }
    try {
      const arena = take(memory.arenaBytes)
      const state = take(memory.stateBytes)
      new Uint8Array(team.memory.buffer, state, memory.stateBytes).fill(0)
      this.#addresses = buffers.map(buffer => (buffer.state ? state : arena) + buffer.offset)
      const laid = layPlan(plan, buffer => this.#addresses[buffer])
      const start = take(laid.bytes)
      laid.writeTo(team.memory, start)
      this.#plan = start + laid.offset
    } catch (error) {
      this.#free()
      throw error
    }
  }

  read: Machine['read'] = ({ buffer }, target) => {
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength)
    bytes.set(new Uint8Array(this.team.memory.buffer, this.#addresses[buffer], bytes.length))
  }

  write: Machine['write'] = ({ buffer }, source) => {
    const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    new Uint8Array(this.team.memory.buffer, this.#addresses[buffer], bytes.length).set(bytes)
  }

  run: Machine['run'] = async refresh => {
    this.#running = this.team.run(this.#plan, refresh)
    try {
      await this.#running
    } finally {
      this.#running = undefined
    }
  }

  /** Memory is given back when no run uses it any more. */
  dispose: Machine['dispose'] = () => {
    if (this.#running === undefined) return this.#free()
    Atomics.store(new Int32Array(this.team.memory.buffer), (this.#plan + CANCELLED) / 4, 1)
    const free = (): void => this.#free()
    this.#running.then(free, free)
  }

  #free(): void {
    for (const address of this.#taken.splice(0)) this.team.heap.give(address)
  }
}

/** A graph that the engine in WebAssembly has compiled: it runs on the team's threads, and holds its part of their memory until it is disposed of. */
export class WasmProgram extends PlannedProgram {
  constructor(team: Team, plan: Plan) {
    super(plan, new WasmMachine(team, plan))
  }
}
