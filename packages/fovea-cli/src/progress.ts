/** @file Progress for people: one bar on a terminal, quiet elsewhere. Knows nothing of what is counted. */
import { Presets, SingleBar } from 'cli-progress'
import { printable } from './printable.js'

export interface ProgressBar {
  /** @param words what stands behind the bar: loss, accuracy, time left */
  update(done: number, words: string): void
  stop(): void
}

/**
 * A bar on stderr, if that is a terminal.
 * @param label what stands before the bar
 */
export function progressBar(label: string, total: number): ProgressBar {
  if (!process.stderr.isTTY) return { update() {}, stop() {} }
  const bar = new SingleBar(
    {
      stream: process.stderr,
      format: `${printable(label)} {bar} {percentage} % {words}`,
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      // Rather a cut line than one that wraps and leaves its remains behind.
      linewrap: false,
      fps: 8,
    },
    Presets.shades_classic,
  )
  bar.start(total, 0, { words: '' })
  return { update: (done, words) => bar.update(done, { words: printable(words) }), stop: () => bar.stop() }
}

/** One bar after another, for work in stages; who began the last one stops it. */
export class StagedProgress {
  #bar: ProgressBar | undefined

  begin(label: string, total: number): void {
    this.stop()
    this.#bar = progressBar(label, total)
  }

  /** Of the stage under way. */
  update(done: number, words: string): void {
    this.#bar?.update(done, words)
  }

  stop(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }
}
