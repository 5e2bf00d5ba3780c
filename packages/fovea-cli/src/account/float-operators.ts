/** @file What a model of integers still computes in float32: it is listed, since it is what integers do not make faster. */
import type { LayerSummary } from 'fovea'

export interface FloatOperator {
  readonly name: string
  /** `globalAveragePool`, `add`, … */
  readonly op: string
}

/** Their results may be float32, and yet they compute in integers, or nothing: they turn one into the other, or name axes anew. */
const others = new Set(['integerConv2d', 'quantizedProduct', 'quantize', 'dequantize', 'reshape', 'flatten'])

/** @param layers as an engine runs them (`summarize`) */
export const floatOperators = (layers: readonly LayerSummary[]): FloatOperator[] =>
  layers.flatMap(({ name, op, precision }) => (precision === 'float32' && !others.has(op) ? [{ name, op }] : []))

/** Of one kind, so many are named. */
const NAMED = 3

/** `2 add (a, b), globalAveragePool (avgpool)` */
export function floatOperatorsText(all: readonly FloatOperator[]): string {
  const kinds = [...new Set(all.map(({ op }) => op))]
  return kinds
    .map(kind => {
      const names = all.filter(({ op }) => op === kind).map(({ name }) => name)
      const listed = [...names.slice(0, NAMED), ...(names.length > NAMED ? ['…'] : [])].join(', ')
      return `${names.length > 1 ? `${names.length} ` : ''}${kind} (${listed})`
    })
    .join(', ')
}
