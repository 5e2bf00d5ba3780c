/** @file A value that is computed while the thread waits for something else, or else when it is asked for. */

export interface Idle<T> {
  /** @throws what computing it throws */
  result(): T
  /** For a value that nobody asks for any more. */
  cancel(): void
}

/** Computes a value as soon as the thread has nothing else to do. What fails then is tried again when it is asked for, and fails there. */
export function whenIdle<T>(compute: () => T): Idle<T> {
  let done: { readonly value: T } | undefined
  const timer = setTimeout(() => {
    try {
      done = { value: compute() }
    } catch {
      // Again, and to the caller, in result().
    }
  }, 0)
  return {
    result() {
      clearTimeout(timer)
      return done ? done.value : compute()
    },
    cancel: () => clearTimeout(timer),
  }
}
