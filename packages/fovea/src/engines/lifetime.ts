/** @file What every program keeps to: one run at a time, nothing else beside it, and nothing after its end. */
import { EngineError } from '../errors.js'

export class Lifetime {
  #state: 'idle' | 'running' | 'disposed' = 'idle'

  /** @throws EngineError during a run, and once the program is disposed of */
  checkIdle(): void {
    if (this.#state === 'running') throw new EngineError('a run of this program is under way: await it first')
    if (this.#state === 'disposed') throw new EngineError('this program is disposed')
  }

  /** @throws EngineError as `checkIdle` does, and where the program is disposed of during the run */
  async run<T>(body: () => Promise<T>): Promise<T> {
    this.checkIdle()
    this.#state = 'running'
    try {
      const result = await body()
      this.checkNotDisposed()
      return result
    } catch (error) {
      this.checkNotDisposed()
      throw error
    } finally {
      if (this.#state === 'running') this.#state = 'idle'
    }
  }

  /** For long runs, now and then. @throws EngineError once the program is disposed of */
  checkNotDisposed(): void {
    if (this.#state === 'disposed') throw new EngineError('this program is disposed')
  }

  /** Now, and for good. */
  dispose(): void {
    this.#state = 'disposed'
  }
}
