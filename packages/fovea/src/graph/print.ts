/** @file A graph as text, one node a line: for tests, bug reports and `--dump`. */
import type { Attribute, Graph, Value } from './graph.js'
import { graphOf } from './graph-setting.js'
import { formatShape } from './types.js'

const formatAttribute = (value: Attribute): string => {
  if (Array.isArray(value)) return `[${value.join(',')}]`
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/**
 * For example `%conv1 = conv2d(%image, %conv1.weight) stride=[1,1] : float32 1×32×32×16`.
 * Equal graphs print equally.
 */
export function printGraph(graph: Graph): string {
  graphOf(graph)
  const reference = (value: Value) => `%${value.node.name}${value.node.outputs.length > 1 ? `.${value.index}` : ''}`
  const lines = graph.nodes.map(node => {
    const attrs = Object.entries(node.attrs)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([key, value]) => ` ${key}=${formatAttribute(value as Attribute)}`)
    const types = node.outputs.map(type => `${type.dtype} ${formatShape(type.shape)}`)
    return `%${node.name} = ${node.op}(${node.inputs.map(reference).join(', ')})${attrs.join('')} : ${types.join(', ')}`
  })
  for (const [name, value] of graph.outputs) lines.push(`output ${name} = ${reference(value)}`)
  for (const [name, value] of graph.updates) lines.push(`update ${name} = ${reference(value)}`)
  return `${lines.join('\n')}\n`
}
