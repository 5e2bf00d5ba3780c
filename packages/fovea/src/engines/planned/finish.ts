/** @file The end of a lowered graph: outputs are brought into the dense layout, and states get what was not written in place. */
import type { Value } from '../../graph/graph.js'
import type { Lowering } from './lowering.js'
import type { Buffer, Operand } from './steps.js'
import type { Layout } from './storage.js'

/**
 * All updates happen at once, after the outputs: what is read of a state is its old content.
 * @returns where each output of the graph is read
 */
export function finish(to: Lowering): ReadonlyMap<string, Buffer> {
  const { storage, graph } = to
  const copies = [...graph.updates].flatMap(([name, value]) => {
    const target = storage.state(name)
    return storage.stored(value).buffer === target.buffer ? [] : [{ value, target }]
  })
  const changing = new Set(copies.map(({ target }) => target.buffer))
  const old = (value: Value, layout: Layout = 'dense', groups = 1): Operand => {
    to.after(value.node)
    const source = to.read(value, layout, groups)
    if (!changing.has(source.buffer)) return source
    const copy = to.shared(source.buffer.bytes)
    to.copy(source, copy)
    return copy
  }
  const outputs = new Map([...graph.outputs].map(([name, value]) => [name, old(value).buffer]))
  const sources = copies.map(({ value, target }) => old(value, target.layout, target.groups))
  for (const [i, { value, target }] of copies.entries()) {
    to.after(value.node)
    to.copy(sources[i], { buffer: target.buffer, sliced: false })
  }
  return outputs
}
