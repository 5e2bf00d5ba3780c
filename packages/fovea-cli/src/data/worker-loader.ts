/**
 * @file Batches prepared on a worker thread, a few ahead of the step that uses them. The worker (batch-worker.ts) only
 * answers "prepare batch b of pass p in these arrays"; which to ask for, and when, is decided here.
 */
import { Worker } from 'node:worker_threads'
import { type Batch, type BatchOptions, batchPlan, type Dataset, FoveaError } from 'fovea'
import { type StoredImages, storedDataset } from './stored-dataset.js'

/** Where one batch is prepared. It is handed to the worker and back, never copied. */
export interface Slot {
  readonly images: Float32Array<ArrayBuffer>
  readonly labels: Int32Array<ArrayBuffer>
}

/** To the worker. Requests are answered in their order. */
export type Request =
  | { readonly type: 'begin'; readonly pass: number; readonly options: BatchOptions }
  | { readonly type: 'prepare'; readonly pass: number; readonly batch: number; readonly slot: Slot }
  | { readonly type: 'end'; readonly pass: number }

/** From the worker, one for each `prepare`: the batch, or why it failed. */
export type Reply = (Slot & Batch) | { readonly error: string }

/** What moves to the other thread with a slot. */
export const buffersOf = ({ images, labels }: Slot): ArrayBuffer[] => [images.buffer, labels.buffer]

/** Batches in work or waiting: one in use by the step, one ready, one being prepared. */
const SLOTS = 3

/** Run from TypeScript source (tests) there is no compiled worker: batches are prepared inline, with the same bits. */
const WORKER = import.meta.url.endsWith('.ts') ? undefined : new URL('./batch-worker.js', import.meta.url)

/**
 * Opens a stored data set whose batches come from a worker. The worker starts with the first pass, serves all later
 * ones, and does not keep the process alive.
 */
export function preparedAhead(stored: StoredImages, worker: URL | undefined = WORKER): Dataset {
  const dataset = storedDataset(stored)
  if (!worker) return dataset
  const thread = new BatchThread(stored, worker)
  return {
    ...dataset,
    batches(options) {
      const { length } = batchPlan(dataset, options) // Refuses wrong options here, where the caller's stack is.
      return passOver(thread, dataset, options, length)
    },
  }
}

async function* passOver(
  thread: BatchThread,
  dataset: Dataset,
  options: BatchOptions,
  length: number,
): AsyncGenerator<Batch> {
  const [height, width, channels] = dataset.imageShape
  const { batchSize } = options
  const pass = thread.begin(options)
  try {
    const ready: Promise<Slot & Batch>[] = []
    let next = options.firstBatch ?? 0
    const askFor = (slot: Slot): void => {
      if (next >= length) return
      const batch = thread.prepare(pass, next++, slot)
      batch.catch(() => {}) // Reported when its turn comes.
      ready.push(batch)
    }
    for (let i = 0; i < SLOTS; i++) {
      askFor({ images: new Float32Array(batchSize * height * width * channels), labels: new Int32Array(batchSize) })
    }
    for (let batch = ready.shift(); batch; batch = ready.shift()) {
      const slot = await batch
      yield slot
      askFor(slot)
    }
  } finally {
    thread.end(pass)
  }
}

/** A batch that the worker was asked for and has not given yet. */
interface Waiting {
  readonly pass: number
  readonly batch: number
  /** Gone to the worker, and lost if that dies. */
  slot: Slot
  readonly newSlot: () => Slot
  readonly resolve: (batch: Slot & Batch) => void
  readonly reject: (error: Error) => void
}

/**
 * The worker of one data set, and what it is at. When it dies (memory, a bug in a decoder), another takes its place and is
 * asked for all that is due: a batch is a function of the pass alone, so no bit changes. What kills two in a row is an error.
 */
class BatchThread {
  #worker: Worker | undefined
  #waiting: Waiting[] = []
  readonly #passes = new Map<number, BatchOptions>()
  #lastPass = 0
  /** Since a batch was prepared. */
  #deaths = 0

  constructor(
    readonly stored: StoredImages,
    readonly entry: URL,
  ) {}

  /** Announces a pass; until its end the worker keeps the process alive. */
  begin(options: BatchOptions): number {
    const pass = ++this.#lastPass
    this.#passes.set(pass, options)
    if (this.#worker) this.#send({ type: 'begin', pass, options })
    else this.#start()
    this.#worker?.ref()
    return pass
  }

  prepare(pass: number, batch: number, slot: Slot): Promise<Slot & Batch> {
    const { images, labels } = slot
    const [pixels, batchSize] = [images.length, labels.length]
    const newSlot = (): Slot => ({ images: new Float32Array(pixels), labels: new Int32Array(batchSize) })
    return new Promise((resolve, reject) => {
      const waiting = { pass, batch, slot: { images, labels }, newSlot, resolve, reject }
      this.#waiting.push(waiting)
      if (this.#worker) this.#ask(waiting)
      else this.#start()
    })
  }

  end(pass: number): void {
    this.#passes.delete(pass)
    this.#send({ type: 'end', pass })
    if (this.#passes.size === 0) this.#worker?.unref()
  }

  #send(request: Request, moved: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(request, moved)
  }

  #ask({ pass, batch, slot }: Waiting): void {
    this.#send({ type: 'prepare', pass, batch, slot }, buffersOf(slot))
  }

  /** Starts a worker and asks it for all that is due. */
  #start(): void {
    const worker = new Worker(this.entry, { workerData: this.stored, name: `batches of ${this.stored.name}` })
    this.#worker = worker
    worker.on('message', (reply: Reply) => {
      if (this.#worker !== worker) return
      this.#deaths = 0
      const request = this.#waiting.shift()
      if ('count' in reply) request?.resolve(reply)
      else request?.reject(new FoveaError(`data set '${this.stored.name}': ${reply.error}`))
    })
    worker.on('error', error => this.#died(worker, `failed: ${error.message}`))
    worker.on('exit', code => this.#died(worker, `stopped (exit code ${code})`))
    if (this.#passes.size === 0) worker.unref()
    for (const [pass, options] of this.#passes) this.#send({ type: 'begin', pass, options })
    for (const waiting of this.#waiting) this.#ask(waiting)
  }

  #died(worker: Worker, how: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const waiting of this.#waiting) waiting.slot = waiting.newSlot()
    if (this.#passes.size === 0) return
    if (++this.#deaths < 2) {
      this.#start()
      return
    }
    this.#deaths = 0
    const error = new FoveaError(
      `data set '${this.stored.name}': the worker that prepares its batches ${how}; so did the one before it`,
    )
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
