#!/usr/bin/env node
/**
 * @file How near the operators that only move or add up numbers come to the memory's speed: every reduction and every
 * broadcast of the table of cases (packages/fovea/test/ops/cases), as large as memory, grown along each of its axes.
 * Fails where one is below a third.
 * usage: node bench/memory.mjs [--cases reduceSum,add] [--all]
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { elements, GraphBuilder, opDefinition, ops } from 'fovea/engine'
import { onednnEngine } from 'fovea-onednn'
import { runnerImport } from 'vite'
import { argumentsOf, wordsOf } from './arguments.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const least = 1 / 3
const threads = 2
/** Of the largest tensor: many times what caches hold. */
const numbers = 1 << 24
const runs = 5
const operators = [
  ...['add', 'multiply', 'multiplyAdd', 'broadcastTo', 'globalAveragePool'],
  ...['reduceSum', 'reduceMean', 'reduceMax', 'productSum'],
]

const { values: options } = argumentsOf({
  options: { cases: { type: 'string', default: operators.join(',') }, all: { type: 'boolean', default: false } },
})
const wanted = wordsOf('cases', options.cases, operators)

const { module } = await runnerImport(join(here, '../packages/fovea/test/ops/cases/index.ts'))
const engine = onednnEngine({ threads })
const speedOfMemory = await speedOf({ op: 'add', inputs: [[numbers], [numbers]], attrs: {} }, 'out')
console.log(`${engine.description}; memory, by an addition: ${speedOfMemory.toFixed(1)} GB/s`)

let failed = 0
for (const sample of module.operatorCases.filter(({ op }) => wanted.includes(op))) {
  for (const part of ['out', 'gradient']) {
    const taken = []
    for (const grown of growths(sample)) {
      const gigabytes = await speedOf(grown, part)
      if (gigabytes !== undefined)
        taken.push({ gigabytes, shapes: grown.inputs.map(shape => shape.join('×') || 'scalar') })
    }
    taken.sort((a, b) => a.gigabytes - b.gigabytes)
    for (const { gigabytes, shapes } of options.all ? taken : taken.slice(0, 1)) {
      const share = gigabytes / speedOfMemory
      if (share < least) failed++
      const name = `${sample.op}${part === 'out' ? '' : "'s gradient"}: ${sample.name}`
      console.log(
        `${share < least ? '✗' : ' '} ${share.toFixed(2)} ${gigabytes.toFixed(1).padStart(5)} GB/s  ${name}  ${shapes.join(', ')}`,
      )
    }
  }
}
if (failed > 0) console.log(`${failed} below a third of the memory's speed`)
process.exit(failed > 0 ? 1 : 0)

/** The case with one axis, counted from the last as broadcasting does, as long as makes the largest tensor of so many numbers. */
function growths({ op, inputs, attrs = {} }) {
  const shapes = inputs.map(({ shape }) => shape)
  const rank = Math.max(...shapes.map(({ length }) => length), attrs.shape?.length ?? 0)
  const largest = Math.max(...shapes.map(elements), elements(attrs.shape ?? []))
  const factor = Math.ceil(numbers / largest)
  return Array.from({ length: rank }, (_, back) => {
    const all = [...shapes, ...(attrs.shape ? [attrs.shape] : [])]
    const long = all.some(shape => shape.at(-1 - back) > 1)
    const grow = shape =>
      shape.map((size, axis) => (shape.length - 1 - axis === back && (size > 1 || !long) ? size * factor : size))
    return { op, inputs: shapes.map(grow), attrs: attrs.shape ? { ...attrs, shape: grow(attrs.shape) } : attrs }
  })
}

/** Gigabytes a second of a case's operator or of its gradients: each tensor counts once. Undefined without a gradient. */
async function speedOf({ op, inputs, attrs }, part) {
  const builder = new GraphBuilder()
  // What is fed is flat: of images, the engine would take slices as small as their number is odd.
  const input = (name, shape) =>
    builder.emit(ops.reshape, [builder.input(name, [elements(shape)])], { shape }, `${name}.shaped`)
  const values = inputs.map((shape, i) => input(`in${i}`, shape))
  const outputs = builder.emitAll(opDefinition(op), values, attrs, 'node')
  const { gradient } = opDefinition(op)
  let results = outputs
  if (part === 'gradient') {
    if (gradient === undefined) return undefined
    const dy = input('dy', outputs[0].type.shape)
    results = gradient({ builder, node: outputs[0].node, attrs, inputs: values, outputs, gradients: [dy] }).filter(
      value => value !== undefined && value !== dy,
    )
    if (results.length === 0) return undefined
  }
  results.forEach((value, i) => {
    const { shape } = value.type
    const one = { start: shape.map(() => 0), stop: shape.map(() => 1), step: shape.map(() => 1) }
    builder.output(`out${i}`, shape.length === 0 ? value : builder.emit(ops.slice, [value], one, `first${i}`))
  })
  const graph = builder.build()
  const program = await engine.compile(graph)
  program.profiling = true
  const feeds = Object.fromEntries(
    graph.nodes
      .filter(({ op }) => op === 'input')
      .map(({ name, outputs: [{ shape }] }) => [name, new Float32Array(elements(shape)).fill(1)]),
  )
  let best = Number.POSITIVE_INFINITY
  const counted = node =>
    node.inputs.length > 0 && !node.name.startsWith('first') && (part === 'out' || node.name !== 'node')
  for (let i = 0; i < runs; i++) {
    await program.run(feeds)
    const executions = program.profile().flatMap(step => (counted(step.node) ? step.executions : []))
    // A shared step is measured on one thread, one that runs slice by slice on each.
    const byThread = new Set(executions.map(({ thread }) => thread)).size
    best = Math.min(best, executions.reduce((sum, { duration }) => sum + duration, 0) / byThread)
  }
  program.dispose()
  const bytes = graph.nodes.filter(counted).reduce((sum, node) => {
    const inputs = new Set(node.inputs.map(({ node: { name }, index }) => `${name} ${index}`))
    const read = node.inputs.filter(({ node: { name }, index }) => inputs.delete(`${name} ${index}`))
    if (['reshape', 'flatten'].includes(node.op)) return sum
    return (
      sum + 4 * [...read.map(({ type }) => type), ...node.outputs].reduce((all, { shape }) => all + elements(shape), 0)
    )
  }, 0)
  return bytes / best / 1e9
}
