/** @file Which rows of a comparison no other one beats, and the pictures of it: what they recognize over what they cost. */
import { type Cost, frontOf } from '../account/trade-off.js'
import type { CostPlot } from '../reports/trade-off-picture.js'
import type { ComparedModel } from './rows.js'

/** The indices of the rows on the Pareto front, for each cost that all have. */
export type Fronts = Partial<Readonly<Record<Cost, readonly number[]>>>

const costs: Readonly<Record<Cost, (row: ComparedModel) => number | undefined>> = {
  latency: row => row.latencyMs,
  bytes: row => row.fileBytes,
}

interface Worth {
  readonly index: number
  readonly name: string
  readonly cost: number
  readonly accuracy: number
}

/** By cost, the rows whose accuracy is known; a cost that some of them do not have is left out. */
function worths(rows: readonly ComparedModel[]): [Cost, readonly Worth[]][] {
  const known = rows.flatMap((row, index) =>
    row.accuracy === undefined ? [] : [{ row, index, accuracy: row.accuracy }],
  )
  return (['latency', 'bytes'] as const).flatMap(cost => {
    const all = known.flatMap(({ row, index, accuracy }) => {
      const value = costs[cost](row)
      return value === undefined ? [] : [{ index, name: nameOf(row), cost: value, accuracy }]
    })
    return all.length === 0 || all.length < known.length ? [] : [[cost, all]]
  })
}

/** `resnet20`, `runs/photos in mixed_bfloat16` */
const nameOf = ({ model, precision }: ComparedModel): string =>
  precision === 'float32' ? model : `${model} in ${precision}`

/** Undefined where nothing was recognized. */
export function frontsOf(rows: readonly ComparedModel[]): Fronts | undefined {
  const all = worths(rows)
  if (all.length === 0) return undefined
  const indices = (of: readonly Worth[]): number[] =>
    frontOf(of, ({ cost, accuracy }) => ({ cost, gain: accuracy })).map(({ index }) => index)
  return Object.fromEntries(all.map(([cost, of]) => [cost, indices(of)]))
}

/** Of several models at least: one is no comparison. */
export const plotsOf = (rows: readonly ComparedModel[]): CostPlot[] =>
  worths(rows).flatMap(([cost, models]) =>
    models.length < 2 ? [] : [{ cost, models, images: rows[models[0].index].images ?? 0 }],
  )
