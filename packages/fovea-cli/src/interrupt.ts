/** @file Ctrl-C: the first asks the work to stop where it is whole, the second ends the process at once. */
import { FoveaError } from 'fovea'

/** The exit code that shells expect of a program that was interrupted: 128 + SIGINT. */
export const INTERRUPTED = 130

/** The work was asked to stop and did: exit code 130. */
export class InterruptError extends FoveaError {
  override name = 'InterruptError'
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * A signal that aborts, with an InterruptError, at the first SIGINT, SIGTERM or SIGHUP (a terminal that is closed, a
 * connection that drops).
 * @param announce called then, to tell people what happens
 * @returns the signal, and a function that gives the keys back
 */
export function onInterrupt(announce: () => void): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController()
  const stop = (name: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      controller.abort(new InterruptError('interrupted'))
      announce()
      // A closed terminal sends SIGHUP twice: by its shell, and when that ends. Only a person's second signal is impatience.
    } else if (name !== 'SIGHUP') {
      // By the signal itself: process.exit would tear down what native threads are computing with.
      release()
      process.kill(process.pid, name)
    }
  }
  const release = (): void => {
    for (const name of SIGNALS) process.off(name, stop)
  }
  for (const name of SIGNALS) process.on(name, stop)
  return { signal: controller.signal, release }
}
