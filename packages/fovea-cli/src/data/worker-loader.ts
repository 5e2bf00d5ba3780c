/**
 * @file Batches prepared on a worker thread, a few ahead of the step that uses them. The worker (batch-worker.ts) only
 * answers "prepare batch b of pass p in these arrays"; which to ask for, and when, is decided here.
 */
import { Worker } from 'node:worker_threads'
import { type Batch, type BatchOptions, batchCount, batchPlan, type Dataset, FoveaError } from 'fovea'
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
      batchPlan(dataset, options) // Refuses wrong options here, where the caller's stack is.
      return passOver(thread, dataset, options)
    },
  }
}

async function* passOver(thread: BatchThread, dataset: Dataset, options: BatchOptions): AsyncGenerator<Batch> {
  const [height, width, channels] = dataset.imageShape
  const { batchSize } = options
  const length = batchCount(options.indices?.length ?? dataset.length, options)
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

/** The worker of one data set, and the requests that it has not answered yet. */
class BatchThread {
  #worker: Worker | undefined
  #waiting: { resolve: (batch: Slot & Batch) => void; reject: (error: Error) => void }[] = []
  #passes = 0
  #active = 0

  constructor(
    readonly stored: StoredImages,
    readonly entry: URL,
  ) {}

  /** Announces a pass; until its end the worker keeps the process alive. */
  begin(options: BatchOptions): number {
    const pass = ++this.#passes
    this.#send({ type: 'begin', pass, options })
    this.#active++
    this.#worker?.ref()
    return pass
  }

  prepare(pass: number, batch: number, slot: Slot): Promise<Slot & Batch> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#send({ type: 'prepare', pass, batch, slot: { images: slot.images, labels: slot.labels } }, buffersOf(slot))
    })
  }

  end(pass: number): void {
    if (this.#worker) this.#send({ type: 'end', pass })
    if (--this.#active === 0) this.#worker?.unref()
  }

  #send(request: Request, moved: ArrayBuffer[] = []): void {
    this.#worker ??= this.#start()
    this.#worker.postMessage(request, moved)
  }

  #start(): Worker {
    const worker = new Worker(this.entry, { workerData: this.stored, name: `batches of ${this.stored.name}` })
    worker.on('message', (reply: Reply) => {
      const request = this.#waiting.shift()
      if ('count' in reply) request?.resolve(reply)
      else request?.reject(new FoveaError(`data set '${this.stored.name}': ${reply.error}`))
    })
    const fail = (reason: string): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      const error = new FoveaError(`data set '${this.stored.name}': the worker that prepares its batches ${reason}`)
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    }
    worker.on('error', error => fail(`failed: ${error.message}`))
    worker.on('exit', code => fail(`stopped (exit code ${code})`))
    worker.unref()
    return worker
  }
}
