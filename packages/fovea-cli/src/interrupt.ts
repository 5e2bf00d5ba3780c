/** @file Ctrl-C: the first asks the work to stop where it is whole, the second ends the process at once. */

/**
 * A signal that aborts at the first SIGINT or SIGTERM.
 * @param announce called then, to tell people what happens
 * @returns the signal, and a function that gives the keys back
 */
export function onInterrupt(announce: () => void): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController()
  const stop = (): void => {
    // 128 + SIGINT, as shells expect of a program that was interrupted.
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
    announce()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  return { signal: controller.signal, release: () => void process.off('SIGINT', stop).off('SIGTERM', stop) }
}
