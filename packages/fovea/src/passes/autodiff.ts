/**
 * @file Reverse-mode differentiation: walks the graph backwards and asks each operator's gradient rule for nodes. The
 * backward pass is ordinary graph, so every other pass and every engine handles it like the forward one.
 */
import { InvalidArgumentError } from '../errors.js'
import { type Node, outputsOf, type Value } from '../graph/graph.js'
import { bytesPerElement, formatShape } from '../graph/types.js'
import { add } from '../ops/add.js'
import type { GraphBuilder } from '../ops/builder.js'
import { cast } from '../ops/cast.js'
import { isOpName, opDefinition } from '../ops/index.js'

/**
 * The gradient of a scalar by each of `variables`, as nodes added to `builder`.
 * @param loss a scalar made in `builder`
 * @param variables values made in `builder`, usually the parameters
 * @param scale a scalar by which all gradients are multiplied. Default 1
 * @returns one gradient per variable, undefined where the loss does not depend on it
 * @throws InvalidArgumentError when the loss is no scalar, or an operator on the way has no gradient
 */
export function autodiff(
  builder: GraphBuilder,
  loss: Value,
  variables: readonly Value[],
  scale: Value = builder.constant(1),
): (Value | undefined)[] {
  if (loss.type.shape.length !== 0) {
    throw new InvalidArgumentError(`the loss must be a scalar, '${loss.node.name}' is ${formatShape(loss.type.shape)}`)
  }
  const order = topological(loss.node)
  const needed = dependents(order, variables)
  const gradients = new Map<Node, (Value | undefined)[]>()
  const accumulate = ({ node, index }: Value, gradient: Value) => {
    const slots = gradients.get(node) ?? []
    const sum = slots[index]
    const name = `${node.name}.gradient`
    slots[index] =
      sum === undefined ? gradient : builder.emit(add, inWiderType(builder, [sum, gradient], name), {}, name)
    gradients.set(node, slots)
  }
  accumulate(loss, scale)
  for (const node of order.reverse()) {
    const arrived = gradients.get(node)
    if (arrived === undefined || !needed.has(node) || !isOpName(node.op)) continue
    const rule = opDefinition(node.op).gradient
    if (rule === undefined) throw new InvalidArgumentError(`operator ${node.op} ('${node.name}') has no gradient`)
    const outputs = outputsOf(node)
    const { attrs, inputs } = node
    const byInput = rule({ builder, node, attrs, inputs, outputs, gradients: outputs.map((_, i) => arrived[i]) })
    inputs.forEach((input, i) => {
      const gradient = byInput[i]
      if (gradient !== undefined && needed.has(input.node)) accumulate(input, gradient)
    })
  }
  return variables.map(({ node, index }) => gradients.get(node)?.[index])
}

/** The gradient of a weight is float32 even where the weight is read in a 16-bit type; what is added to it becomes so too. */
function inWiderType(builder: GraphBuilder, values: readonly Value[], name: string): readonly Value[] {
  const bytes: number[] = values.map(({ type }) => bytesPerElement(type.dtype))
  const { dtype } = values[bytes.indexOf(Math.max(...bytes))].type
  return values.map(value => (value.type.dtype === dtype ? value : builder.emit(cast, [value], { dtype }, name)))
}

/** All that `last` depends on, inputs before their readers. Iterative: networks are deeper than the call stack likes. */
function topological(last: Node): Node[] {
  const order: Node[] = []
  const seen = new Set<Node>()
  const stack: { node: Node; next: number }[] = [{ node: last, next: 0 }]
  seen.add(last)
  while (stack.length > 0) {
    const top = stack[stack.length - 1]
    if (top.next === top.node.inputs.length) {
      order.push(top.node)
      stack.pop()
      continue
    }
    const input = top.node.inputs[top.next++].node
    if (!seen.has(input)) {
      seen.add(input)
      stack.push({ node: input, next: 0 })
    }
  }
  return order
}

/** The nodes through which one of the variables reaches the loss; only their gradients are made. */
function dependents(order: readonly Node[], variables: readonly Value[]): Set<Node> {
  const needed = new Set(variables.map(variable => variable.node))
  for (const node of order) if (node.inputs.some(input => needed.has(input.node))) needed.add(node)
  return needed
}
