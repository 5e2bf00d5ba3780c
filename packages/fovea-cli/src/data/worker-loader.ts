/**
 * @file Batches prepared on a worker thread, a few ahead of the step that uses them. The worker (batch-worker.ts) only
 * answers "prepare batch b of pass p into slot s"; which to ask for, and when, is decided here.
 */
import { Worker } from 'node:worker_threads'
import { type Batch, type BatchOptions, batchCount, batchPlan, type Dataset, FoveaError } from 'fovea'
import { type StoredImages, storedDataset } from './stored-dataset.js'

/** Where one batch is prepared; both arrays lie on shared memory. */
export interface Slot {
  readonly images: Float32Array
  readonly labels: Int32Array
}

/** To the worker. Requests are answered in their order. */
export type Request =
  | { readonly type: 'begin'; readonly pass: number; readonly options: BatchOptions }
  | { readonly type: 'prepare'; readonly pass: number; readonly batch: number; readonly slot: Slot }
  | { readonly type: 'end'; readonly pass: number }

/** From the worker, one for each `prepare`: how many images count, or why it failed. */
export type Reply = { readonly count: number } | { readonly error: string }

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
  const length = batchCount(options.indices?.length ?? dataset.length, options)
  const [height, width, channels] = dataset.imageShape
  const slots = Array.from({ length: SLOTS }, () => thread.slot(options.batchSize, height * width * channels))
  const pass = thread.begin(options)
  try {
    const ready: Promise<Batch>[] = []
    let next = options.firstBatch ?? 0
    const askFor = (slot: Slot): void => {
      if (next >= length) return
      const batch = thread.prepare(pass, next++, slot).then(count => ({ ...slot, count }))
      batch.catch(() => {}) // Reported when its turn comes.
      ready.push(batch)
    }
    slots.forEach(askFor)
    for (let batch = ready.shift(); batch; batch = ready.shift()) {
      const { images, labels, count } = await batch
      yield { images, labels, count }
      askFor({ images, labels })
    }
  } finally {
    thread.end(pass, slots)
  }
}

/** The worker of one data set, and the requests that it has not answered yet. */
class BatchThread {
  #worker: Worker | undefined
  #waiting: { resolve: (count: number) => void; reject: (error: Error) => void }[] = []
  #passes = 0
  #active = 0
  #spare: Slot[] = []

  constructor(
    readonly stored: StoredImages,
    readonly entry: URL,
  ) {}

  /** A slot of an earlier pass, if one fits: an epoch after the first allocates nothing. */
  slot(batchSize: number, imageLength: number): Slot {
    const found = this.#spare.findIndex(
      ({ images, labels }) => labels.length === batchSize && images.length === batchSize * imageLength,
    )
    if (found >= 0) return this.#spare.splice(found, 1)[0]
    return {
      images: new Float32Array(new SharedArrayBuffer(4 * batchSize * imageLength)),
      labels: new Int32Array(new SharedArrayBuffer(4 * batchSize)),
    }
  }

  begin(options: BatchOptions): number {
    const pass = ++this.#passes
    this.#send({ type: 'begin', pass, options })
    this.#active++
    this.#worker?.ref()
    return pass
  }

  prepare(pass: number, batch: number, slot: Slot): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#send({ type: 'prepare', pass, batch, slot })
    })
  }

  /** Slots may be asked for again at once: what is still being prepared in them is finished before later requests. */
  end(pass: number, slots: readonly Slot[]): void {
    if (this.#worker) this.#send({ type: 'end', pass })
    this.#spare = [...slots]
    if (--this.#active === 0) this.#worker?.unref()
  }

  #send(request: Request): void {
    this.#worker ??= this.#start()
    this.#worker.postMessage(request)
  }

  #start(): Worker {
    const worker = new Worker(this.entry, { workerData: this.stored, name: `batches of ${this.stored.name}` })
    worker.on('message', (reply: Reply) => {
      const request = this.#waiting.shift()
      if ('count' in reply) request?.resolve(reply.count)
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
