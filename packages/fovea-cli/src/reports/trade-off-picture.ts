/** @file The picture of a trade-off: how much models recognize over what they cost, and the front that no other one beats. */
import { type Cost, costOf, paretoFront, pointName, type TradeOff, type TradeOffPoint } from '../account/trade-off.js'
import { withCommas } from '../output.js'
import { headHeight, heading, margin } from './picture.js'
import { legend, plotFrame, ticks } from './plot.js'
import { type Box, circle, colors, dashed, document, polyline, text, textWidth } from './svg.js'

const width = 960
const plotHeight = 430
/** Over the plot is what its colours mean. */
const plotHead = 34

/** The picture with its title, as SVG. */
export const tradeOffPicture = (title: string, tradeOff: TradeOff): string =>
  document(
    width,
    headHeight + plotHead + plotHeight + 30,
    heading(title, subtitleOf(tradeOff), width) + plotOf(tradeOff, headHeight),
  )

/** The plot alone, as SVG: for a page that has its own titles. */
export const tradeOffPlot = (tradeOff: TradeOff): string =>
  document(width, plotHead + plotHeight + 30, plotOf(tradeOff, 14))

const aboutCost = { latency: 'latency of one image', bytes: 'size of the file' }

const subtitleOf = ({ points: [{ images }], cost }: TradeOff): string =>
  `accuracy in %, of ${withCommas(images)} images, over the ${aboutCost[cost]}`

/** In which a cost is written along the axis. */
function unitOf(cost: Cost, highest: number) {
  if (cost === 'latency') return { name: 'ms', size: 1 }
  return highest < 1 << 20 ? { name: 'KiB', size: 1 << 10 } : { name: 'MiB', size: 1 << 20 }
}

/** @param top where it begins */
function plotOf(tradeOff: TradeOff, top: number): string {
  const { points, chosen, cost, most } = tradeOff
  const box = { x: margin, y: top + plotHead, width: width - 2 * margin, height: plotHeight }
  const costs = points.map(point => costOf(point, cost))
  const accuracies = points.map(({ accuracy }) => accuracy)
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
  const front = paretoFront(points, cost)
  const at = (point: TradeOffPoint) => [x(costOf(point, cost)), y(point.accuracy)] as const
  const colorOf = (point: TradeOffPoint): string =>
    point === chosen ? colors.right : front.includes(point) ? colors.training : colors.muted
  const line = [...front].sort((a, b) => costOf(a, cost) - costOf(b, cost)).map(at)
  const names = namePlaces(
    points.map(point => ({ name: pointName(point), at: at(point) })),
    inner,
  )
  return [
    legend(
      [
        { name: 'the result', color: colors.right },
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
    ...points.map(point => circle(...at(point), point === chosen ? 7 : 5, colorOf(point))),
    ...names.map(({ x, y, name }, i) =>
      text(x, y, name, { size: 12, color: colorOf(points[i]), weight: points[i] === chosen ? 'bold' : 'normal' }),
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
