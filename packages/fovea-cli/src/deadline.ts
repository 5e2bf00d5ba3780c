/** @file A signal that aborts when a time is over, or with another signal. */

export interface Deadline {
  readonly signal: AbortSignal
  /** To be called when the work is done. */
  readonly release: () => void
}

/**
 * What `AbortSignal.any([AbortSignal.timeout(ms), other])` should be: Node 20 holds both of these weakly, and the time is never
 * over once they have been collected.
 * @param reason with which it aborts when the time is over
 */
export function deadline(ms: number, reason: () => Error, other?: AbortSignal): Deadline {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(reason()), ms)
  const follow = (): void => controller.abort(other?.reason)
  if (other?.aborted) follow()
  other?.addEventListener('abort', follow)
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer)
      other?.removeEventListener('abort', follow)
    },
  }
}
