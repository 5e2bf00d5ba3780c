/** @file The picture of a trade-off: how much models recognize over what they cost, and the front that no other one beats. */
import { type Cost, frontOf } from '../account/trade-off.js'
import { withCommas } from '../output.js'
import { headHeight, heading, margin } from './picture.js'
import { legend, plotFrame, ticks } from './plot.js'
import { type Box, circle, colors, dashed, document, fit, polyline, text, textWidth } from './svg.js'

const width = 960
const plotHeight = 430
/** Over the plot is what its colours mean. */
const plotHead = 34
/** Pixels of a model's name. */
const MAX_NAME = 300

/** A model as a dot. */
export interface PlottedModel {
  readonly name: string
  readonly cost: number
  /** A fraction. */
  readonly accuracy: number
}

export interface CostPlot {
  readonly cost: Cost
  readonly models: readonly PlottedModel[]
  /** On which accuracy was measured. */
  readonly images: number
  /** The index of the model that became the result, where one did. */
  readonly chosen?: number
  /** The cost that is asked for, at most. */
  readonly most?: number
}

/** The picture with its title, as SVG. */
export const tradeOffPicture = (title: string, plot: CostPlot): string =>
  document(
    width,
    headHeight + plotHead + plotHeight + 30,
    heading(title, tradeOffTitle(plot), width) + plotOf(plot, headHeight),
  )

/** The plot alone, as SVG: for a page that has its own titles. */
export const tradeOffPlot = (plot: CostPlot): string => document(width, plotHead + plotHeight + 30, plotOf(plot, 14))

const aboutCost = { latency: 'latency of one image', bytes: 'size of the file' }

/** What the plot shows. */
export const tradeOffTitle = ({ images, cost }: CostPlot): string =>
  `accuracy in %, of ${withCommas(images)} images, over the ${aboutCost[cost]}`

/** In which a cost is written along the axis. */
function unitOf(cost: Cost, highest: number) {
  if (cost === 'latency') return { name: 'ms', size: 1 }
  return highest < 1 << 20 ? { name: 'KiB', size: 1 << 10 } : { name: 'MiB', size: 1 << 20 }
}

/** @param top where it begins */
function plotOf({ models, chosen, cost, most }: CostPlot, top: number): string {
  const box = { x: margin, y: top + plotHead, width: width - 2 * margin, height: plotHeight }
  const costs = models.map(model => model.cost)
  const accuracies = models.map(({ accuracy }) => accuracy)
  const unit = unitOf(cost, Math.max(...costs))
  const across = ticks(0, Math.max(...costs) / unit.size, 6).map(mark => mark * unit.size)
  const up = ticks(Math.min(...accuracies), Math.max(...accuracies), 5)
  const horizontal = {
    ...{ low: 0, high: across[across.length - 1], marks: across },
    format: (value: number): string => String(Number((value / unit.size).toPrecision(6))),
    name: `${aboutCost[cost]} in ${unit.name}`,
  }
  const format = (value: number): string => String(Number((100 * value).toPrecision(6)))
  const { svg, inner, x, y } = plotFrame(box, horizontal, { low: up[0], high: up[up.length - 1], marks: up, format })
  const front = frontOf(models, model => ({ cost: model.cost, gain: model.accuracy }))
  const at = (model: PlottedModel) => [x(model.cost), y(model.accuracy)] as const
  const result = chosen === undefined ? undefined : models[chosen]
  const colorOf = (model: PlottedModel): string =>
    model === result ? colors.right : front.includes(model) ? colors.training : colors.muted
  const line = [...front].sort((a, b) => a.cost - b.cost).map(at)
  const names = namePlaces(
    models.map(model => ({ name: fit(model.name, MAX_NAME), at: at(model) })),
    inner,
  )
  return [
    legend(
      [
        ...(result === undefined ? [] : [{ name: 'the result', color: colors.right }]),
        { name: 'Pareto front', color: colors.training },
        { name: 'beaten by others', color: colors.muted },
        ...(most === undefined ? [] : [{ name: 'asked for', color: colors.validation }]),
      ],
      inner.x + inner.width,
      top + 13,
    ),
    svg,
    most === undefined ? '' : dashed(x(most), inner.y, inner.y + inner.height, colors.validation),
    polyline(line, colors.faint),
    ...models.map(model => circle(...at(model), model === result ? 7 : 5, colorOf(model))),
    ...names.map(({ x, y, name }, i) =>
      text(x, y, name, { size: 12, color: colorOf(models[i]), weight: models[i] === result ? 'bold' : 'normal' }),
    ),
  ].join('')
}

interface Named {
  readonly name: string
  readonly at: readonly [number, number]
}

/** A place for each name beside its point: the first at which it lies on no other point or name, and in the plot. */
function namePlaces(points: readonly Named[], inner: Box): { x: number; y: number; name: string }[] {
  const dots = points.map(({ at: [x, y] }): Box => ({ x: x - 7, y: y - 7, width: 14, height: 14 }))
  const taken: Box[] = []
  return points.map(({ name, at: [x, y] }, i) => {
    const size = { width: textWidth(name, { size: 12, weight: 'bold' }), height: 14 }
    const places = [0, -18, 18, -34, 34, -50, 50].flatMap(dy => [
      { x: x + 11, y: y + dy - 7, ...size },
      { x: x - 11 - size.width, y: y + dy - 7, ...size },
    ])
    const others = [...taken, ...dots.filter((_, j) => j !== i)]
    const place =
      places.find(box => within(box, inner) && !others.some(other => overlap(box, other))) ??
      places.find(box => within(box, inner)) ??
      places[0]
    taken.push(place)
    return { x: place.x, y: place.y + 11, name }
  })
}

const within = (box: Box, outer: Box): boolean =>
  box.x >= outer.x &&
  box.x + box.width <= outer.x + outer.width &&
  box.y >= outer.y &&
  box.y + box.height <= outer.y + outer.height

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
