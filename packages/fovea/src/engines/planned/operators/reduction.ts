/** @file Sums, means and maxima over axes (native/kernels/reduce.h), which the kernel reduces one after another. */
import type { Node } from '../../../graph/graph.js'
import { elements, type Shape, type TensorType } from '../../../graph/types.js'
import type { ReductionAttributes } from '../../../ops/reduction.js'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import { binary } from './broadcast.js'
import { commonLayout, readIn } from './layout.js'
import { inFloat32, type Lower } from './operator.js'

interface Run {
  readonly size: number
  readonly reduced: boolean
}

/** Axes as they lie in memory, neighbours of one kind joined. */
function runsOf(shape: Shape, axes: readonly number[]): Run[] {
  const runs: Run[] = []
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue
    const reduced = axes.includes(axis)
    const last = runs.at(-1)
    if (last?.reduced === reduced) runs[runs.length - 1] = { size: last.size * size, reduced }
    else runs.push({ size, reduced })
  }
  return runs
}

const sizeOf = (runs: readonly Run[]): number => runs.reduce((product, { size }) => product * size, 1)

interface Reduction {
  readonly operation: 'sum' | 'maximum'
  readonly x: Operand
  /** What x is multiplied by first. */
  readonly factor?: Operand | undefined
  readonly shape: Shape
  readonly axes: readonly number[]
  /** What the result is multiplied by. */
  readonly scale?: number
}

/** The longest axis first, so that what is left for the next is least. */
function reduceInto(to: Lowering, type: TensorType, y: Operand, reduction: Reduction): void {
  let { x, factor } = reduction
  let from = type
  let runs = runsOf(reduction.shape, reduction.axes)
  for (;;) {
    const sizes = runs.map(({ size, reduced }) => (reduced ? size : 0))
    const at = sizes.indexOf(Math.max(0, ...sizes))
    const [outer, count, columns] =
      at < 0 || sizes[at] === 0
        ? [1, 1, sizeOf(runs)]
        : [sizeOf(runs.slice(0, at)), runs[at].size, sizeOf(runs.slice(at + 1))]
    const left = runs.filter((_, i) => i !== at || sizes[at] === 0)
    const isLast = !left.some(({ reduced }) => reduced)
    const into: TensorType = { shape: [outer, columns], dtype: isLast ? type.dtype : 'float32' }
    const target = isLast ? y : to.temporary(4 * outer * columns)
    to.kernel('reduce', {
      ...{ x, factor, y: target, operation: reduction.operation, type: to.float(from), into: to.float(into) },
      ...{ outer, count, columns, scale: isLast ? (reduction.scale ?? 1) : 1 },
    })
    if (isLast) return
    ;[x, factor, from] = [target, undefined, into]
    runs = joined(left)
  }
}

function joined(runs: readonly Run[]): Run[] {
  const result: Run[] = []
  for (const run of runs) {
    const last = result.at(-1)
    if (last?.reduced === run.reduced) result[result.length - 1] = { ...run, size: last.size * run.size }
    else result.push(run)
  }
  return result
}

const axesOf = (node: Node): readonly number[] => (node.attrs as unknown as ReductionAttributes).axes

const reduce =
  (operation: Reduction['operation'], scaleOf = (_count: number) => 1, axes = axesOf): Lower =>
  (to, node) => {
    const [x, factor] = node.inputs
    const { shape } = x.type
    const scale = scaleOf(axes(node).reduce((count, axis) => count * shape[axis], 1))
    const common = operation === 'sum' && axes(node).length === shape.length ? commonLayout(to, node, x) : undefined
    if (common !== undefined) {
      const [values, factors] = readIn(common, to, node, x)
      const flat = { operation, shape: [common.bytes / 4], axes: [0], scale }
      return reduceInto(to, x.type, to.write(), { ...flat, x: values, factor: factors })
    }
    const reduction = { operation, shape, axes: axes(node), scale }
    reduceInto(to, x.type, to.write(), { ...reduction, x: to.read(x), factor: factor && to.read(factor) })
  }

/** The maxima of a window share its gradient equally: where x is one, dx = dy / how many there are. */
const reduceMaxGradient: Lower = (to, node) => {
  const [dy, x, y] = node.inputs
  const { shape } = x.type
  const kept = shape.map((size, axis) => (axesOf(node).includes(axis) ? 1 : size))
  const whole = { operand: to.write(), shape }
  const share = { operand: to.temporary(4 * elements(kept)), shape: kept }
  const inputs = [
    { operand: to.read(x), shape },
    { operand: to.read(y), shape: kept },
  ]
  binary(to, node, 'equal', inputs, whole)
  reduceInto(to, x.type, share.operand, { operation: 'sum', x: whole.operand, shape, axes: axesOf(node) })
  binary(to, node, 'divide', [{ operand: to.read(dy), shape: kept }, share], share)
  binary(to, node, 'multiply', [whole, share], whole)
}

const mean = (count: number): number => 1 / count

export const reduction = {
  reduceSum: reduce('sum'),
  productSum: reduce('sum'),
  reduceMean: reduce('sum', mean),
  reduceMax: reduce('maximum'),
  reduceMaxGradient: inFloat32(reduceMaxGradient),
  globalAveragePool: reduce('sum', mean, () => [1, 2]),
} as const satisfies Record<string, Lower>
