/** @file A program that runs a plan: checks what it is given, moves numbers in and out, keeps to one run at a time. */
import { InvalidArgumentError, unknownName } from '../../errors.js'
import { checkArray, fillConstant, type HostArray, zeroArray } from '../../graph/arrays.js'
import { inputNodes, isState, type Node } from '../../graph/graph.js'
import { formatShape, type TensorType } from '../../graph/types.js'
import type { Feeds, Outputs, Program } from '../engine.js'
import { feedsOf, stateNameOf, type WantedOutputs, wantedOutputs } from '../engine-setting.js'
import { Lifetime } from '../lifetime.js'
import { asNumbers, inMemory, type MemoryArray, memoryFor } from './memory-arrays.js'
import type { Plan, PlanLeaf } from './plan.js'

/** Where a plan lies and runs; idle whenever it is read or written. */
export interface Machine {
  read(place: PlanLeaf, target: MemoryArray): void
  write(place: PlanLeaf, source: MemoryArray): void
  /** @param refresh whether state was written since the last run */
  run(refresh: boolean): Promise<void>
  /** Once; cuts a run short. */
  dispose(): void
}

export class PlannedProgram implements Program {
  protected readonly lifetime = new Lifetime()
  #stateWritten = true
  #disposed = false
  readonly #inputs: readonly Node[]
  readonly #states: ReadonlyMap<string, Node>

  constructor(
    readonly plan: Plan,
    readonly machine: Machine,
  ) {
    const { graph } = plan
    this.#inputs = inputNodes(graph)
    this.#states = new Map(graph.nodes.filter(isState).map(node => [node.name, node]))
    for (const node of graph.nodes) {
      if (node.op === 'constant') this.#write(node, fillConstant(zeroArray(node.outputs[0]), node))
    }
  }

  get memory(): Program['memory'] {
    return this.plan.memory
  }

  run(feeds: Feeds, outputs?: readonly string[]): Promise<Outputs> {
    return this.lifetime.run(() => this.#run(feedsOf(feeds), wantedOutputs(this.plan.graph, outputs)))
  }

  async #run(feeds: Feeds, wanted: WantedOutputs): Promise<Outputs> {
    const names = this.#inputs.map(({ name }) => name)
    for (const name of Object.keys(feeds)) if (!names.includes(name)) throw unknownName('input', name, names)
    for (const node of this.#inputs) checkFeed(node, feeds[node.name])
    for (const node of this.#inputs) this.#write(node, feeds[node.name])
    const refresh = this.#stateWritten
    await this.machine.run(refresh)
    if (refresh) this.#stateWritten = false
    return Object.fromEntries(
      wanted.map(([name, { type }]) => [name, this.#read({ buffer: this.plan.outputs.get(name)! }, type)]),
    )
  }

  async read(name: string): Promise<HostArray> {
    this.lifetime.checkIdle()
    const node = this.#state(name)
    return this.#read(this.plan.leaves.get(node.name)!, node.outputs[0])
  }

  async write(name: string, data: HostArray): Promise<void> {
    this.lifetime.checkIdle()
    const node = this.#state(name)
    checkArray(`write '${name}'`, node.outputs[0], data)
    this.#write(node, data)
    this.#stateWritten = true
  }

  dispose(): void {
    this.lifetime.dispose()
    if (!this.#disposed) this.machine.dispose()
    this.#disposed = true
  }

  #state(name: string): Node {
    const node = this.#states.get(stateNameOf(name))
    if (node === undefined) throw unknownName('parameter or buffer', name, [...this.#states.keys()])
    return node
  }

  #write(node: Node, values: HostArray | number): void {
    this.machine.write(this.plan.leaves.get(node.name)!, inMemory(node.outputs[0], values))
  }

  #read(place: PlanLeaf, type: TensorType): HostArray {
    const array = memoryFor(type)
    this.machine.read(place, array)
    return asNumbers(type, array)
  }
}

function checkFeed({ name, outputs: [type] }: Node, fed: HostArray | number | undefined): void {
  if (fed === undefined) {
    throw new InvalidArgumentError(`input '${name}' (${type.dtype} ${formatShape(type.shape)}) is not fed`)
  }
  checkArray(`feed '${name}'`, type, fed)
}
