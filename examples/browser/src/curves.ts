/** @file Curves that grow while a model learns: loss and accuracy, of the training and of held-out pictures. */
import type { Progress } from './learning.js'

interface Point {
  /** In epochs. */
  readonly at: number
  readonly value: number
}

interface Curve {
  readonly kind: 'train' | 'held-out'
  readonly points: readonly Point[]
}

const WIDTH = 320
const HEIGHT = 150
const LEFT = 34
const BOTTOM = 18

const element = (name: string, attributes: Readonly<Record<string, string | number>>, text = ''): SVGElement => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value))
  made.textContent = text
  return made
}

/** @param top what the upper edge stands for */
function draw(
  svg: SVGElement,
  curves: readonly Curve[],
  epochs: number,
  top: number,
  show: (value: number) => string,
): void {
  const x = (at: number): number => LEFT + (at / epochs) * (WIDTH - LEFT)
  const y = (value: number): number => (1 - Math.min(value, top) / top) * (HEIGHT - BOTTOM)
  const grid = [0, 0.5, 1].flatMap(part => [
    element('line', {
      x1: LEFT,
      x2: WIDTH,
      y1: y(part * top),
      y2: y(part * top),
      stroke: 'currentColor',
      opacity: 0.15,
    }),
    element('text', { x: LEFT - 5, y: y(part * top) + 4, 'text-anchor': 'end' }, show(part * top)),
  ])
  const lines = curves.flatMap(({ kind, points }) => [
    element('polyline', {
      ...{ class: kind, style: 'fill: none', 'stroke-width': 2 },
      points: points.map(({ at, value }) => `${x(at)},${y(value)}`).join(' '),
    }),
    ...points.slice(-1).map(({ at, value }) => element('circle', { class: kind, cx: x(at), cy: y(value), r: 3 })),
  ])
  const axis = element('text', { x: WIDTH, y: HEIGHT - 2, 'text-anchor': 'end' }, `epoch ${epochs}`)
  svg.replaceChildren(...grid, ...lines, axis)
}

/** Two charts in an element, which follow a training. */
export class Curves {
  readonly #loss = element('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': 'loss by epoch' })
  readonly #accuracy = element('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: 'img',
    'aria-label': 'accuracy by epoch',
  })
  #phase = ''
  #epochs = 1
  #losses: Point[] = []
  #accuracies: Point[] = []
  #heldOut: { loss: Point; accuracy: Point }[] = []

  constructor(parent: Element) {
    const figures = [
      { svg: this.#loss, title: 'loss' },
      { svg: this.#accuracy, title: 'accuracy' },
    ].map(({ svg, title }) => {
      const figure = document.createElement('figure')
      const caption = document.createElement('figcaption')
      caption.innerHTML = `${title} <span class="key train">training</span> <span class="key held-out">held out</span>`
      figure.append(svg, caption)
      return figure
    })
    parent.replaceChildren(...figures)
  }

  /** For a new training: its points do not follow those of the last one. */
  clear(): void {
    this.#losses = []
    this.#accuracies = []
    this.#heldOut = []
  }

  show(progress: Progress): void {
    if (progress.phase !== this.#phase) this.clear()
    this.#phase = progress.phase
    if ('step' in progress) {
      const { epoch, epochs, step, steps, loss, accuracy } = progress.step
      const at = epoch - 1 + step / steps
      this.#epochs = epochs
      this.#losses.push({ at, value: loss })
      this.#accuracies.push({ at, value: accuracy })
    } else {
      const { epoch: at, validationLoss, validationAccuracy } = progress.epoch
      if (validationLoss === undefined || validationAccuracy === undefined) return
      this.#heldOut.push({ loss: { at, value: validationLoss }, accuracy: { at, value: validationAccuracy } })
    }
    this.#draw()
  }

  #draw(): void {
    const losses = [
      { kind: 'train', points: this.#losses },
      { kind: 'held-out', points: this.#heldOut.map(({ loss }) => loss) },
    ] as const
    const accuracies = [
      { kind: 'train', points: this.#accuracies },
      { kind: 'held-out', points: this.#heldOut.map(({ accuracy }) => accuracy) },
    ] as const
    const top = Math.max(1, ...this.#losses.slice(0, 1).map(({ value }) => value))
    draw(this.#loss, losses, this.#epochs, top, value => value.toFixed(1))
    draw(this.#accuracy, accuracies, this.#epochs, 1, value => `${100 * value} %`)
  }
}
