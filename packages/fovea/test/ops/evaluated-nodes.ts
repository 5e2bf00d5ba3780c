/** @file Every node of a case's graph, gradients too, with the values it reads and writes: for tests of single operators. */
import { roundToType, toTensor, zeros } from '../../src/engines/reference/tensors.js'
import { fillConstant } from '../../src/graph/arrays.js'
import { type Attributes, isLeaf, type Node } from '../../src/graph/graph.js'
import type { OpDefinition, Tensor } from '../../src/ops/define.js'
import { opDefinition } from '../../src/ops/index.js'
import { caseGraph, type OperatorCase } from './cases/index.js'

export interface EvaluatedNode {
  readonly node: Node
  readonly definition: OpDefinition
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
}

/** What an operator's reference implementation makes of these inputs, in float64. */
export function apply(definition: OpDefinition, inputs: readonly Tensor[], attrs: Attributes): Tensor[] {
  const outputs = definition.infer(inputs, attrs).map(type => zeros(type, 'float64'))
  definition.reference(inputs, outputs, attrs)
  for (const output of outputs) roundToType(output)
  return outputs
}

/** The nodes that apply an operator, in their order. */
export function evaluatedNodes(sample: OperatorCase): EvaluatedNode[] {
  const { graph, feeds } = caseGraph(sample)
  const values = new Map<Node, readonly Tensor[]>()
  return graph.nodes.flatMap((node): EvaluatedNode[] => {
    if (isLeaf(node)) {
      const fed = node.op === 'input' ? toTensor(node, feeds[node.name], 'float64', 'feed') : constant(node)
      values.set(node, [fed])
      return []
    }
    const definition = opDefinition(node.op)
    const inputs = node.inputs.map(input => values.get(input.node)![input.index])
    const outputs = apply(definition, inputs, node.attrs)
    values.set(node, outputs)
    return [{ node, definition, inputs, outputs }]
  })
}

function constant(node: Node): Tensor {
  const tensor = zeros(node.outputs[0], 'float64')
  fillConstant(tensor.data, node)
  return tensor
}
