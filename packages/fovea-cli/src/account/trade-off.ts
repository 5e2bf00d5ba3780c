/** @file Models of several sizes and how much each recognizes, and which of them no other one beats: the Pareto front. */
import { formatBytes } from 'fovea'
import { percent } from '../output.js'
import type { CostPlot } from '../reports/trade-off-picture.js'
import { formatTable } from '../table.js'
import type { Account } from './account.js'
import { markdownTable } from './document.js'
import { milliseconds } from './quantities.js'

/** What is given up for accuracy. */
export type Cost = 'latency' | 'bytes'

/** A model that was tried. */
export interface TradeOffPoint extends Account {
  /** The part of the multiply-adds that was to go. */
  readonly amount: number
  /** Whether it computes in integers. */
  readonly integers: boolean
}

export interface TradeOff {
  readonly cost: Cost
  /** The original is the first. */
  readonly points: readonly TradeOffPoint[]
  /** The one that became the result. */
  readonly chosen: TradeOffPoint
  /** The cost that is asked for, at most. */
  readonly most?: number
  /** What was asked for and what it came to, and what else is to be known, a sentence each. */
  readonly asked: readonly string[]
}

/** What a model costs: milliseconds an image, or bytes of its file. */
export const costOf = ({ latencyMs, fileBytes }: Account, cost: Cost): number =>
  cost === 'latency' ? latencyMs : fileBytes

const paretoFront = (points: readonly TradeOffPoint[], cost: Cost): TradeOffPoint[] =>
  frontOf(points, point => ({ cost: costOf(point, cost), gain: point.accuracy }))

/** As the picture shows it. */
export const costPlot = ({ points, chosen, cost, most }: TradeOff): CostPlot => ({
  ...{ cost, images: points[0].images, chosen: points.indexOf(chosen), ...(most !== undefined && { most }) },
  models: points.map(point => ({ name: pointName(point), cost: costOf(point, cost), accuracy: point.accuracy })),
})

/**
 * Of things that cost something and gain something, those that no other beats: by costing less and gaining as much, or gaining more
 * and costing no more. Of equals all are on it.
 */
export function frontOf<T>(
  all: readonly T[],
  worth: (one: T) => { readonly cost: number; readonly gain: number },
): T[] {
  const values = all.map(worth)
  return all.filter((_, i) => {
    const { cost, gain } = values[i]
    return !values.some(other => other.cost <= cost && other.gain >= gain && (other.cost < cost || other.gain > gain))
  })
}

/** `original`, `36 % removed, in integers`. */
export function pointName({ amount, integers }: Pick<TradeOffPoint, 'amount' | 'integers'>): string {
  const removed = amount === 0 ? 'original' : `${Math.round(100 * amount)} % removed`
  return integers ? `${removed}, in integers` : removed
}

/** What stands over them. */
export const TRIED = 'What was tried'

/** A row for each, the head first. */
export function tradeOffRows({ points, chosen, cost }: TradeOff): string[][] {
  const front = new Set(paretoFront(points, cost))
  return [
    ['', 'latency', 'file', 'accuracy', `best for its ${cost}`],
    ...points.map(point => [
      `${pointName(point)}${point === chosen ? ' (the result)' : ''}`,
      milliseconds(point.latencyMs),
      formatBytes(point.fileBytes),
      percent(point.accuracy),
      front.has(point) ? 'yes' : '',
    ]),
  ]
}

/** As JSON has it. */
export const tradeOffEntries = ({ points, cost }: TradeOff) => ({ points, front: paretoFront(points, cost) })

/** For a terminal. */
export function tradeOffText(tradeOff: TradeOff): string {
  const [head, ...rows] = tradeOffRows(tradeOff)
  const columns = head.map((title, i) => ({ title, ...(i > 0 && { align: 'right' as const }) }))
  return [formatTable(columns, rows), '', ...tradeOff.asked].join('\n')
}

/** For a report in Markdown. */
export const tradeOffMarkdown = (tradeOff: TradeOff): string =>
  [
    `## ${TRIED}`,
    '',
    ...markdownTable(tradeOffRows(tradeOff)),
    '',
    ...tradeOff.asked.map(sentence => `- ${sentence}`),
    '',
  ].join('\n')
