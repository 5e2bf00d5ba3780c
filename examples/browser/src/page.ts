/** @file What both pages have: their elements by name, problems in one line, the progress of a training, use without a network. */
import { Curves } from './curves.js'
import type { Progress } from './learning.js'
import { percent } from './results-view.js'

/** The element of an id. */
export const at = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T

/** Runs what a click asks for; what goes wrong stands on the page. */
export const tried =
  <Args extends unknown[]>(work: (...args: Args) => Promise<void> | void) =>
  async (...args: Args): Promise<void> => {
    const problem = at('problem')
    problem.textContent = ''
    try {
      await work(...args)
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error)
      // On a phone it may be far from what was pressed.
      problem.scrollIntoView({ block: 'nearest' })
    }
  }

/** Shows a training under way: bar, line, curves. */
export class TrainingView {
  readonly #curves = new Curves(at('curves'))
  readonly #bar = at<HTMLProgressElement>('progress')
  #step = ''
  #heldOut = ''

  show(progress: Progress): void {
    this.#curves.show(progress)
    if ('epoch' in progress) {
      const { validationAccuracy } = progress.epoch
      if (validationAccuracy !== undefined) this.#heldOut = `, held-out accuracy ${percent(validationAccuracy)}`
    } else {
      const { epoch, epochs, step, steps, loss, imagesPerSecond } = progress.step
      this.#bar.value = (epoch - 1 + step / steps) / epochs
      const speed = `${Math.round(imagesPerSecond)} images/s`
      this.#step = `${progress.phase}: epoch ${epoch} of ${epochs}, loss ${loss.toFixed(3)}, ${speed}`
    }
    at('state').textContent = this.#step + this.#heldOut
  }

  /** @param isRunning whether a training can be stopped, or else begun */
  running(isRunning: boolean): void {
    at<HTMLButtonElement>('train').disabled = isRunning
    at<HTMLButtonElement>('stop').disabled = !isRunning
    this.#bar.hidden = !isRunning
    if (!isRunning) return
    this.#heldOut = ''
    this.#curves.clear()
  }
}

/** What the page waits for at most, where something else holds it up. */
const OFFLINE_MS = 2000

/** Keeps all files of the page from now on, and those that were fetched before, so that it opens without a network. */
export async function keepOffline(): Promise<void> {
  const service = navigator.serviceWorker
  if (service === undefined) return
  const controlled = new Promise(resolve => {
    if (service.controller) resolve(undefined)
    service.oncontrollerchange = resolve
    setTimeout(resolve, OFFLINE_MS)
  })
  await service.register('./offline.js').catch(() => {})
  await controlled
  if (!service.controller) return
  const own = performance.getEntriesByType('resource').map(({ name }) => fetch(name))
  await Promise.allSettled([fetch(location.href), ...own])
}
