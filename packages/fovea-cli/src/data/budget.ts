/** @file Work that shares something of which there is only so much: it waits for its turn until enough is free. */

interface Waiting {
  readonly amount: number
  readonly begin: () => void
}

/** First come, first served: what needs all of it is not passed by what needs little. */
export class Budget {
  readonly #waiting: Waiting[] = []
  #free: number

  constructor(readonly total: number) {
    this.#free = total
  }

  /** Does work that takes so much of it; what takes more than there is has all, and is alone. */
  async hold<T>(amount: number, work: () => Promise<T>): Promise<T> {
    const share = Math.min(amount, this.total)
    await new Promise<void>(begin => {
      this.#waiting.push({ amount: share, begin })
      this.#beginNext()
    })
    try {
      return await work()
    } finally {
      this.#free += share
      this.#beginNext()
    }
  }

  #beginNext(): void {
    for (let next = this.#waiting[0]; next && next.amount <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#free -= next.amount
      next.begin()
    }
  }
}
