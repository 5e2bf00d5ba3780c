/** @file The nodes of an ONNX graph, one after another: what is known is computed, the rest becomes nodes of ours. */
import { FormatError, FoveaError, ShapeError } from '../../errors.js'
import type { ExternalData } from './external.js'
import { foldKnown } from './fold.js'
import { rowOf } from './from-onnx/index.js'
import { type Known, knownOf } from './known.js'
import type { Message } from './messages.js'
import { ReadNode } from './read-node.js'
import { dimsOf, isKnown, isStored, type OnnxValue, type Reading } from './reading.js'

/** Bytes of numbers that may be made while a file is read, beside as many as it has. */
const MADE_BYTES = 64 << 20

/** What nodes are read with. */
export interface Walk {
  readonly opset: number
  readonly reading: Reading
  /** What names stand for: the inputs, to which all that is read is added. */
  readonly values: Map<string, OnnxValue>
  /** Of the file. */
  readonly bytes: number
  readonly external: ExternalData
}

/** @throws FormatError naming the node that is not read */
export function readNodes(graph: Message<'GraphProto'>, { opset, reading, values, bytes, external }: Walk): void {
  const tensors = new Map(graph.initializer.map(tensor => [tensor.name ?? '', tensor]))
  /** Read when they are wanted. */
  const find = (name: string): OnnxValue | undefined => {
    const there = values.get(name)
    const tensor = tensors.get(name)
    if (there !== undefined || tensor === undefined) return there
    const known = knownOf(external.whole(tensor, name), name)
    values.set(name, known)
    return known
  }
  let madeBytes = 0
  const last = new Set([graph.output[0]?.name])
  for (const proto of graph.node) {
    const { opType = '', domain = '', input, output } = proto
    const what = `${opType} '${proto.name || output[0] || ''}'`
    try {
      if (domain !== '' && domain !== 'ai.onnx') throw new FormatError(`its operator is of '${domain}', not of ONNX`)
      const inputs = input.map(name => {
        const value = name === '' ? undefined : find(name)
        if (name !== '' && value === undefined)
          throw new FormatError(`it reads '${name}', which nothing before it makes`)
        return value
      })
      // What turns logits into probabilities is no part of a model here.
      const isLast = output.some(name => last.has(name))
      if (isLast && ['Softmax', 'LogSoftmax'].includes(opType) && inputs[0] && !isKnown(inputs[0])) {
        values.set(output[0], inputs[0])
        continue
      }
      const known = inputs.map(value => (value && isKnown(value) ? value : undefined))
      const node = new ReadNode(proto, known, opset)
      const folded = foldedOf(node, inputs)
      if (folded !== undefined) {
        madeBytes += known.some(x => x?.values === folded.values) ? 0 : folded.values.byteLength
        if (madeBytes > bytes + external.bytes + MADE_BYTES)
          throw new FormatError('its graph makes more numbers of none than its weights are')
        values.set(output[0], folded.name === '' ? { ...folded, name: output[0] } : folded)
        continue
      }
      const made = rowOf(node)({ node, inputs, reading })
      const all: readonly OnnxValue[] = Array.isArray(made) ? made : [made as OnnxValue]
      output.forEach((name, i) => {
        if (name !== '' && all[i] !== undefined) values.set(name, all[i])
      })
    } catch (error) {
      if (error instanceof ShapeError) throw new FormatError(error.message, { cause: error })
      const reason = error instanceof FoveaError ? error.message : 'its inputs or attributes do not fit'
      throw new FormatError(`${what}: ${reason}`, { cause: error })
    }
  }
}

/** The numbers that a node gives, if they depend on no image: those of its inputs are known, or are sizes of a value. */
function foldedOf(node: ReadNode, inputs: readonly (OnnxValue | undefined)[]): Known | undefined {
  const [x] = inputs
  if (node.op === 'Shape' && x !== undefined && !isKnown(x) && !isStored(x)) {
    const sizes: Known = { dims: dimsOf(x), type: 'float32', values: new Float32Array(0), name: '' }
    return foldKnown(node, [sizes])
  }
  const known = node.known.filter(value => value !== undefined)
  return known.length === inputs.length ? foldKnown(node, known) : undefined
}
