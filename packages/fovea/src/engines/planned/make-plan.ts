/** @file From a graph to its plan: lowers each node, gathers loops, gives buffers their places. */
import { EngineError } from '../../errors.js'
import { type Graph, inputNodes, isLeaf, type Node } from '../../graph/graph.js'
import { isOpName } from '../../ops/index.js'
import type { CompileOptions } from '../engine.js'
import { checkMemory } from '../memory.js'
import { finish } from './finish.js'
import { gatherLoops, type Loop } from './loops.js'
import { Lowering } from './lowering.js'
import { loweringOf } from './operators/index.js'
import { type Placement, placeBuffers } from './placement.js'
import type { Plan, PlanBuffer, PlanLeaf, PlanLoop, PlanStep } from './plan.js'
import type { Buffer, LoweredStep, Operand } from './steps.js'
import type { Target } from './target.js'

/** @throws EngineError naming the node that the engine lacks, or the memory that is missing */
export function makePlan(graph: Graph, target: Target, options: CompileOptions): Plan {
  const lowering = new Lowering(graph, target)
  const { threads } = target
  const { storage } = lowering
  target.prepare(lowering)
  for (const node of graph.nodes) if (isLeaf(node)) lowering.leaf(node)
  for (const node of graph.nodes) {
    if (isLeaf(node)) continue
    if (!isOpName(node.op)) {
      throw new EngineError(`the ${target.name} engine has no operator '${node.op}' ('${node.name}')`)
    }
    const entry = loweringOf(node.op, target)
    const lower = typeof entry === 'function' ? entry : entry.lower
    lower(lowering, lowering.begin(node), node)
    storage.endReads(node)
  }
  const outputs = finish(lowering)
  const inputs = inputNodes(graph).map(node => storage.leafOf(node).buffer)
  const loops = gatherLoops(lowering.steps)
  const { places, arenaBytes, stateBytes } = placeBuffers(
    loops,
    storage.buffers,
    inputs,
    [...outputs.values()],
    threads,
  )
  const memory = { arenaBytes, stateBytes }
  checkMemory(memory, graph, options)
  const index = new Map(storage.buffers.map((buffer, i) => [buffer, i]))
  const held = storage.held()
  return {
    ...{ graph, threads, memory },
    buffers: storage.buffers.map((buffer): PlanBuffer => ({ ...places.get(buffer)!, holds: held.get(buffer) ?? [] })),
    loops: planLoops(loops, places, index),
    leaves: new Map(graph.nodes.filter(isLeaf).map(node => [node.name, placeLeaf(lowering, index, node)])),
    outputs: new Map([...outputs].map(([name, buffer]) => [name, index.get(buffer)!])),
  }
}

function placeLeaf(
  { storage, target: { layouts } }: Lowering,
  index: ReadonlyMap<Buffer, number>,
  node: Node,
): PlanLeaf {
  const { buffer, layout, groups } = storage.leafOf(node)
  const [{ shape, dtype }] = node.outputs
  const place = { buffer: index.get(buffer)! }
  return layout === 'dense' ? place : { ...place, layout: { own: layout, dense: layouts.dense(shape, dtype, groups) } }
}

/** The loops with buffers by their place in the plan. */
function planLoops(
  loops: readonly Loop[],
  places: Placement['places'],
  index: ReadonlyMap<Buffer, number>,
): PlanLoop[] {
  const cleared = new Set<Buffer>()
  return loops.map(({ slices, imagesPerSlice, steps }) => {
    const touched = new Set(steps.flatMap(({ operands }) => operands.flatMap(operand => operand?.buffer ?? [])))
    const zeroed = [...touched].filter(buffer => buffer.zeroed && !cleared.has(buffer))
    for (const buffer of zeroed) cleared.add(buffer)
    /** What lives in a thread's own room holds one slice at a time. */
    const stride = ({ buffer, sliced }: Operand): number =>
      sliced && slices > 0 && places.get(buffer)!.threadStride === 0 ? buffer.bytes / slices : 0
    const planStep = ({ node, run, implementation, operands, writes, ints, floats, once }: LoweredStep): PlanStep => ({
      ...{ node, run, implementation, writes, ints, floats, once },
      operands: operands.map(operand => operand && { buffer: index.get(operand.buffer)!, stride: stride(operand) }),
      bytes: operands.reduce((sum, of) => sum + (of === undefined || of.buffer.scratch ? 0 : of.buffer.bytes), 0),
    })
    return { slices, imagesPerSlice, zeroed: zeroed.map(buffer => index.get(buffer)!), steps: steps.map(planStep) }
  })
}
