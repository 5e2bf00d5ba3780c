/**
 * @file Images of different requests predicted together. A batch starts as soon as the model is free, unless more images are on
 * their way (being decoded), for which it waits a little. A request that is alone never waits.
 */
/** A compiled model, as batches see it. */
export interface BatchModel {
  /** How many images it takes at once, in rising order, from 1 on. */
  readonly batchSizes: readonly number[]
  /**
   * @param images 8-bit pixels of `count` images, one after another; `count` is one of the batch sizes
   * @returns the probability of every class, [images, classes]
   */
  run(images: Uint8Array, count: number): Promise<Float32Array>
}

/** What happened to a batch, for metrics. */
export interface BatchReport {
  readonly images: number
  /** Of each image: how long it waited. */
  readonly waitedSeconds: readonly number[]
  readonly seconds: number
}

export interface BatcherOptions {
  /** The most that an image waits for others that are on their way. */
  readonly maxDelayMs: number
  /** The most images that are being decoded or wait. */
  readonly maxQueue: number
  readonly onBatch?: (report: BatchReport) => void
}

/** There are too many images already. */
export class BusyError extends Error {
  override name = 'BusyError'
}

interface Waiting {
  readonly pixels: Uint8Array
  readonly since: number
  readonly resolve: (probabilities: Float32Array) => void
  readonly reject: (error: unknown) => void
}

export class Batcher {
  readonly #model: BatchModel
  readonly #options: BatcherOptions
  readonly #waiting: Waiting[] = []
  #onTheirWay = 0
  #isRunning = false
  #timer: NodeJS.Timeout | undefined

  constructor(model: BatchModel, options: BatcherOptions) {
    this.#model = model
    this.#options = options
  }

  /** Images that wait for their turn. */
  get length(): number {
    return this.#waiting.length
  }

  /**
   * Decodes an image and predicts its classes, together with others that come at the same time.
   * @param signal takes it out of the queue
   * @returns the probability of every class
   * @throws BusyError if there are too many images; what decoding and the model throw; the signal's reason
   */
  async predict(decode: () => Promise<Uint8Array>, signal: AbortSignal): Promise<Float32Array> {
    const { maxQueue } = this.#options
    if (this.#waiting.length + this.#onTheirWay >= maxQueue) throw new BusyError(`${maxQueue} images wait`)
    this.#onTheirWay++
    let pixels: Uint8Array
    try {
      signal.throwIfAborted()
      pixels = await decode()
      signal.throwIfAborted()
    } catch (error) {
      this.#onTheirWay--
      this.#next()
      throw error
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const place = this.#waiting.indexOf(waiting)
        if (place >= 0) this.#waiting.splice(place, 1) // Else it is being computed, for nobody.
        reject(signal.reason)
      }
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          signal.removeEventListener('abort', leave)
          settle(value)
        }
      const waiting = { pixels, since: performance.now(), resolve: done(resolve), reject: done(reject) }
      signal.addEventListener('abort', leave)
      this.#waiting.push(waiting)
      this.#onTheirWay--
      this.#next()
    })
  }

  /** Starts a batch if it is time for one. */
  #next(): void {
    clearTimeout(this.#timer)
    if (this.#isRunning || this.#waiting.length === 0) return
    const most = this.#model.batchSizes.at(-1) as number
    const left = this.#waiting[0].since + this.#options.maxDelayMs - performance.now()
    if (this.#waiting.length >= most || this.#onTheirWay === 0 || left <= 0) void this.#run()
    else this.#timer = setTimeout(() => this.#next(), Math.ceil(left))
  }

  /** The largest batch that is full: a model computes as much for an empty place as for an image. */
  async #run(): Promise<void> {
    this.#isRunning = true
    const size = this.#model.batchSizes.findLast(size => size <= this.#waiting.length) ?? 1
    const batch = this.#waiting.splice(0, size)
    const start = performance.now()
    const waitedSeconds = batch.map(({ since }) => (start - since) / 1000)
    try {
      const rows = await this.#model.run(
        batch.length === 1 ? batch[0].pixels : Buffer.concat(batch.map(({ pixels }) => pixels)),
        size,
      )
      const classes = rows.length / size
      for (const [i, { resolve }] of batch.entries()) resolve(rows.subarray(i * classes, (i + 1) * classes))
      this.#options.onBatch?.({ images: size, waitedSeconds, seconds: (performance.now() - start) / 1000 })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    this.#isRunning = false
    this.#next()
  }
}
