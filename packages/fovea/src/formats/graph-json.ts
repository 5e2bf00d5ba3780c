/**
 * @file A graph as JSON and back: what a saved model says of itself. Data, never code. What is read is rebuilt node by
 * node, so that every shape is inferred and every attribute checked again.
 */
import { FormatError, FoveaError } from '../errors.js'
import { type Attribute, type Attributes, type Graph, isLeaf, type Node, type Value } from '../graph/graph.js'
import { initializerSetting } from '../graph/initializer.js'
import { type DType, dtypes, elements, formatShape, type Shape } from '../graph/types.js'
import { GraphBuilder } from '../ops/builder.js'
import { isOpName, opDefinition } from '../ops/index.js'
import { asArray, asName, asNumber, asRecord, asWhole } from './json.js'

/** A value, as [index of the node, index of its output]. */
type Reference = readonly [number, number]

interface NodeJson {
  readonly op: string
  readonly name: string
  readonly inputs?: readonly Reference[]
  readonly attrs?: Attributes
  /** Of leaves only; all other types follow from theirs. */
  readonly shape?: Shape
  readonly dtype?: DType
}

export interface GraphJson {
  readonly nodes: readonly NodeJson[]
  readonly outputs: Readonly<Record<string, Reference>>
  readonly updates: Readonly<Record<string, Reference>>
}

/** Far above any network's: a file that claims more is refused before it is built. */
const MAX_NODES = 100_000
const MAX_ELEMENTS = 2 ** 31

/** The graph as plain data. `decodeGraph` of it prints as the graph does. */
export function encodeGraph(graph: Graph): GraphJson {
  const index = new Map(graph.nodes.map((node, i) => [node, i]))
  const reference = ({ node, index: output }: Value): Reference => [index.get(node)!, output]
  const references = (values: ReadonlyMap<string, Value>) =>
    Object.fromEntries([...values].map(([name, value]) => [name, reference(value)]))
  const nodes = graph.nodes.map(({ op, name, inputs, attrs, outputs }): NodeJson => {
    const [{ shape, dtype }] = outputs
    return {
      op,
      name,
      ...(inputs.length > 0 ? { inputs: inputs.map(reference) } : {}),
      ...(Object.keys(attrs).length > 0 ? { attrs } : {}),
      ...(isOpName(op) ? {} : { shape, dtype }),
    }
  })
  return { nodes, outputs: references(graph.outputs), updates: references(graph.updates) }
}

/**
 * The graph of what `encodeGraph` gave, from anywhere.
 * @throws FormatError naming the node that is wrong, and how
 */
export function decodeGraph(json: unknown): Graph {
  const { nodes, outputs, updates } = asRecord(json, 'graph')
  const list = asArray(nodes, 'graph.nodes', MAX_NODES)
  const builder = new GraphBuilder()
  const values: Value[][] = []
  const names = new Set<string>()
  const resolve = (reference: unknown, what: string): Value => {
    const [node, output] = asArray(reference, what, 2).map((part, i) => asWhole(part, `${what}[${i}]`, 0))
    const value = values[node]?.[output]
    if (value === undefined) throw new FormatError(`${what} refers to no earlier node`)
    return value
  }
  list.forEach((entry, i) => {
    const node = asRecord(entry, `graph.nodes[${i}]`)
    const op = asName(node['op'], `graph.nodes[${i}].op`)
    const name = asName(node['name'], `graph.nodes[${i}].name`)
    const where = `${op} '${name}'`
    if (names.has(name)) throw new FormatError(`graph: two nodes are named '${name}'`)
    names.add(name)
    const attrs = asAttributes(node['attrs'] ?? {}, where)
    const inputs = asArray(node['inputs'] ?? [], `${where} inputs`, 64).map((reference, k) =>
      resolve(reference, `${where} inputs[${k}]`),
    )
    values.push(isOpName(op) ? emit(builder, op, name, inputs, attrs) : [leaf(builder, op, name, node, attrs)])
  })
  for (const [name, reference] of Object.entries(asRecord(outputs, 'graph.outputs'))) {
    builder.output(name, resolve(reference, `graph.outputs.${name}`))
  }
  for (const [name, reference] of Object.entries(asRecord(updates, 'graph.updates'))) {
    const state = values
      .flat()
      .find(({ node }) => node.name === name && (node.op === 'parameter' || node.op === 'buffer'))
    if (state === undefined) throw new FormatError(`graph.updates: there is no state '${name}'`)
    builder.update(state, resolve(reference, `graph.updates.${name}`))
  }
  return builder.build()
}

function emit(builder: GraphBuilder, op: Node['op'], name: string, inputs: readonly Value[], attrs: Attributes) {
  try {
    const outputs = builder.emitAll(opDefinition(op), inputs, attrs, name)
    for (const { type } of outputs) {
      if (elements(type.shape) > MAX_ELEMENTS)
        throw new FormatError(`${op} '${name}': ${formatShape(type.shape)} is too large`)
    }
    return outputs
  } catch (error) {
    // A shape rule may meet an attribute or input that is not there at all: that is the file's fault as well.
    const reason = error instanceof FoveaError ? error.message : `${op} '${name}': inputs or attributes are missing`
    throw new FormatError(`graph: ${reason}`, { cause: error })
  }
}

function leaf(
  builder: GraphBuilder,
  op: string,
  name: string,
  { shape, dtype }: Readonly<Record<string, unknown>>,
  attrs: Attributes,
): Value {
  if (!isLeaf({ op })) {
    throw new FormatError(`graph: node '${name}' has the unknown operator '${op}'; a newer Fovea may know it`)
  }
  const where = `${op} '${name}'`
  const type = dtypes.find(known => known === dtype)
  if (type === undefined) throw new FormatError(`${where}: unknown data type '${String(dtype)}'`)
  const sizes = asArray(shape, `${where} shape`, 8).map((size, i) => asWhole(size, `${where} shape[${i}]`, 1))
  if (sizes.reduce((product, size) => product * size, 1) > MAX_ELEMENTS) {
    throw new FormatError(`${where}: ${sizes.join('×')} is too large`)
  }
  const initializer = () => initializerSetting.parse(attrs['initializer'], `initializer of ${where}`)
  try {
    switch (op) {
      case 'input':
        return builder.input(name, sizes, type)
      case 'parameter':
        return builder.parameter(name, sizes, initializer(), type)
      case 'buffer':
        return builder.buffer(name, sizes, initializer(), type)
      default:
        return builder.constant(asNumbers(attrs['value'], `${where} value`), sizes, type)
    }
  } catch (error) {
    throw error instanceof FoveaError ? new FormatError(`graph: ${error.message}`, { cause: error }) : error
  }
}

/** One number, or a list of them. */
const asNumbers = (value: Attribute | undefined, what: string): number | number[] =>
  Array.isArray(value) ? value.map((entry, i) => asNumber(entry, `${what}[${i}]`)) : asNumber(value, what)

/** Attributes are numbers, texts, yes or no, lists of numbers, and objects of those. */
function asAttributes(value: unknown, where: string, depth = 0): Attributes {
  const isAttribute = (entry: unknown): boolean => {
    if (entry === null || typeof entry === 'string' || typeof entry === 'boolean') return true
    if (typeof entry === 'number') return Number.isFinite(entry)
    if (Array.isArray(entry)) return entry.every(item => typeof item === 'number' && Number.isFinite(item))
    return depth < 4 && Object.keys(asAttributes(entry, where, depth + 1)).length >= 0
  }
  const attrs = asRecord(value, `${where} attributes`)
  for (const [key, entry] of Object.entries(attrs)) {
    if (!isAttribute(entry)) throw new FormatError(`${where}: attribute '${key}' is not plain data`)
  }
  return attrs as Attributes
}
