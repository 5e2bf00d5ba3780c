/** @file The worker of the page that trains on clothes: resnet8 on Fashion-MNIST. */
import { type DataSplits, type Engine, resnet8, take } from 'fovea'
import { loadWasmEngine } from 'fovea-wasm'
import { serve } from './calls.js'
import { openClothes } from './clothes-data.js'
import { type Progress, type Results, resultsOf, trainAndTell } from './learning.js'
import { pictureOf } from './pictures.js'

/** So that there are enough steps in a short training. */
const BATCH = 32

export class Clothes {
  #engine: Engine | undefined
  #data: DataSplits | undefined
  #ending = new AbortController()

  constructor(readonly tell: (progress: Progress) => void) {}

  /** Fetches all that is needed. @returns what computes here */
  async start(): Promise<string> {
    this.#data = await openClothes()
    this.#engine = await loadWasmEngine()
    return this.#engine.description
  }

  /** @param images to train on, of 10,000 */
  async train({ epochs, images }: { readonly epochs: number; readonly images: number }): Promise<Results> {
    const { train, test } = this.#data!
    const some = take(train, images)
    this.#ending = new AbortController()
    const model = resnet8({ input: train.imageShape, labels: train.classes, seed: 0 })
    const settings = { batchSize: BATCH, epochs, engine: this.#engine!, signal: this.#ending.signal }
    const { evaluation } = await trainAndTell(
      model,
      { ...settings, data: { train: some, test } },
      'training',
      this.tell,
    )
    return resultsOf(evaluation, test, index => {
      const pixels = new Uint8Array(28 * 28)
      test.read([index], pixels)
      return pictureOf(pixels, test.imageShape)
    })
  }

  /** Ends the training after the step under way. */
  stop(): void {
    this.#ending.abort()
  }
}

serve<Progress>(tell => new Clothes(tell))
