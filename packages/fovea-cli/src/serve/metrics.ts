/** @file What a server counts and times, for Prometheus. Seconds and images, as its conventions want them. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Batcher, BatchReport } from './batcher.js'

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]
const IMAGES = [1, 2, 4, 8, 16, 32, 64, 128, 256]

export class Metrics {
  readonly registry = new Registry()
  readonly #requests: Counter<'route' | 'status'>
  readonly #inFlight: Gauge
  readonly #requestSeconds: Histogram<'route'>
  readonly #decodeSeconds: Histogram
  readonly #queueSeconds: Histogram<'model'>
  readonly #inferenceSeconds: Histogram<'model'>
  readonly #batchImages: Histogram<'model'>

  constructor() {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    this.#requests = new Counter({
      ...{ name: 'fovea_requests_total', help: 'Requests answered.', labelNames: ['route', 'status'], registers },
    })
    this.#inFlight = new Gauge({
      ...{ name: 'fovea_requests_in_flight', help: 'Requests that are being answered.', registers },
    })
    const seconds = <L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> =>
      new Histogram({ name, help, labelNames, buckets: SECONDS, registers })
    this.#requestSeconds = seconds('fovea_request_duration_seconds', 'From the request to its answer.', ['route'])
    this.#decodeSeconds = seconds(
      'fovea_decode_duration_seconds',
      'Decoding of an image, with its wait for a thread.',
      [],
    )
    this.#queueSeconds = seconds('fovea_queue_duration_seconds', 'How long an image waited for its batch.', ['model'])
    this.#inferenceSeconds = seconds('fovea_inference_duration_seconds', 'A batch in the model.', ['model'])
    this.#batchImages = new Histogram({
      ...{ name: 'fovea_batch_images', help: 'Images of a batch.', labelNames: ['model'], buckets: IMAGES, registers },
    })
  }

  /** Counts a request until it is answered. @returns what to call then */
  request(): (route: string, status: number) => void {
    const start = performance.now()
    this.#inFlight.inc()
    return (route, status) => {
      this.#inFlight.dec()
      this.#requests.inc({ route, status: String(status) })
      this.#requestSeconds.observe({ route }, (performance.now() - start) / 1000)
    }
  }

  decoded(seconds: number): void {
    this.#decodeSeconds.observe(seconds)
  }

  batch(model: string, { images, seconds, waitedSeconds }: BatchReport): void {
    for (const waited of waitedSeconds) this.#queueSeconds.observe({ model }, waited)
    this.#inferenceSeconds.observe({ model }, seconds)
    this.#batchImages.observe({ model }, images)
  }

  /** Shows how many images wait, whenever it is asked. */
  watch(queues: ReadonlyMap<string, Batcher>): void {
    new Gauge({
      ...{ name: 'fovea_queue_images', help: 'Images that wait for their batch.', labelNames: ['model'] },
      registers: [this.registry],
      collect() {
        for (const [model, queue] of queues) this.set({ model }, queue.length)
      },
    })
  }
}
