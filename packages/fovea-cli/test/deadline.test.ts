/** @file Claims about deadlines: they come when the time is over or another signal says so, and not after the work is done. */
import { expect, test, vi } from 'vitest'
import { deadline } from '../src/deadline.js'

const late = (): Error => new Error('late')

test('the time is over, the other signal aborts, or the work is done: what comes first', () => {
  vi.useFakeTimers()
  try {
    const alone = deadline(10, late)
    const other = new AbortController()
    const [followed, done] = [deadline(10, late, other.signal), deadline(10, late, other.signal)]
    done.release()
    other.abort(new Error('gone'))
    expect(followed.signal.reason).toEqual(new Error('gone'))
    vi.advanceTimersByTime(9)
    expect(alone.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(alone.signal.reason).toEqual(new Error('late'))
    expect(followed.signal.reason).toEqual(new Error('gone'))
    expect(done.signal.aborted).toBe(false)
    expect(deadline(10, late, other.signal).signal.reason).toEqual(new Error('gone'))
  } finally {
    vi.useRealTimers()
  }
})
