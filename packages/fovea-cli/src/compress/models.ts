/**
 * @file The models that `fovea compress` tries, each in a folder of its own: pruned, trained on, in integers. A step whose file is
 * there is done: it is not done again when a run goes on.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Criterion, type Dataset, type Model, prunablePart, quantizeModel, split, take } from 'fovea'
import type { AccountedModel } from '../account/account.js'
import { readModel, writeCheckpoint } from '../checkpoint-file.js'
import type { LoadedData } from '../data/index.js'
import type { Original } from '../open-original.js'
import type { Output } from '../output.js'
import { channelOptions, type MethodOptions, pruneAtOnce } from '../prune/methods.js'
import { quantizeWithin } from '../quantize/budget.js'
import { RunFolder } from '../run-folder.js'
import { carryTrainedImages, readTrainedImages } from '../trained-images.js'
import { isTuned, StoppedError, type TuneRequest, tune } from '../tune.js'

export interface ModelsRequest extends TuneRequest {
  readonly importance?: Criterion
  readonly multipleOf?: number
  readonly images: number
}

export interface ModelsOptions {
  /** Aborting it ends the work before its next step. */
  readonly signal: AbortSignal
  /** That of the command: in it lie those of the models. */
  readonly folder: RunFolder
  /** To train on: what decides about accuracy is held back. */
  readonly data: LoadedData
  /** Where accuracy is asked for: the points that may be lost, on which images. */
  readonly budget?: { readonly maxLoss: number; readonly measured: Dataset }
  readonly output: Output
  readonly resumedBy: string
}

/** A model that was tried, in a file. */
export interface TriedModel extends AccountedModel {
  readonly amount: number
  readonly integers: boolean
}

/** Where the models lie, in the folder of the command. */
export const MODELS = 'models'

/** So many images show the ranges of a model that is only timed: its numbers do not matter. */
const PROBE_IMAGES = 32

export class Models {
  readonly #original: Original
  readonly #request: ModelsRequest
  readonly #options: ModelsOptions
  #isTraining = false

  constructor(original: Original, request: ModelsRequest, options: ModelsOptions) {
    this.#original = original
    this.#request = request
    this.#options = options
  }

  /** Then Ctrl-C is the training's: it saves. */
  get isTraining(): boolean {
    return this.#isTraining
  }

  get #pruning(): MethodOptions {
    return { ...this.#request, method: 'channels', scope: 'global' }
  }

  /** The part of the multiply-adds that can go. */
  prunable(): Promise<number> {
    const { model, engine } = this.#original
    return prunablePart(model, { ...channelOptions(this.#pruning), engine, images: this.#images() })
  }

  /** Without that part of the multiply-adds, untrained. */
  async pruned(amount: number): Promise<Model> {
    const { model, engine } = this.#original
    if (amount === 0) return model
    return (await pruneAtOnce(model, { ...this.#pruning, amount }, { images: this.#images(), engine })).model
  }

  /** In integers, as they are fastest here; good for its size and time only. */
  probe = (model: Model): Promise<Model> => this.#inIntegers(model, PROBE_IMAGES)

  /**
   * The models of an amount: pruned and trained on, then in integers. Of amount 0 nothing is trained.
   * @throws StoppedError if the training was interrupted; InterruptError
   */
  async make(amount: number, integers: boolean): Promise<TriedModel[]> {
    const { signal } = this.#options
    const made: TriedModel[] = []
    const folder = new RunFolder(join(this.#options.folder.file(MODELS), `removed-${amount}`))
    if (amount > 0) {
      if (!isTuned(folder)) await this.#train(amount, folder)
      made.push({ name: folder.path, model: readModel(folder.model), amount, integers: false })
    }
    if (integers) {
      const { path, model: file } = new RunFolder(folder.file('quantized'))
      if (!existsSync(file)) {
        signal.throwIfAborted()
        const [from, model] = amount > 0 ? [folder.path, made[0].model] : [this.#original.file, this.#original.model]
        await keep(path, await this.#withinBudget(model), from)
      }
      made.push({ name: path, model: readModel(file), amount, integers })
    }
    return made
  }

  async #train(amount: number, folder: RunFolder): Promise<void> {
    const { file, model } = this.#original
    const { data, output, resumedBy, signal } = this.#options
    const start = new RunFolder(folder.file('pruned'))
    if (!existsSync(start.model)) {
      signal.throwIfAborted()
      await keep(start.path, await this.pruned(amount), file)
    }
    const title = `${model.name} without ${Math.round(100 * amount)} % of its multiply-adds`
    const tuning = { original: file, start: start.path, slower: 1 / 4, folder, title, data, output, resumedBy }
    signal.throwIfAborted()
    this.#isTraining = true
    try {
      if ((await tune(model, this.#request, tuning)) === undefined) throw new StoppedError('interrupted')
    } finally {
      this.#isTraining = false
    }
  }

  /** In integers, but for layers that lose too much, where accuracy is asked for and float32 layers help. */
  async #withinBudget(model: Model): Promise<Model> {
    const { engine, model: original } = this.#original
    const { budget, output } = this.#options
    const images = this.#images()
    const found = budget && (await quantizeWithin(model, {}, { ...budget, original, images, engine, output }))
    return found?.model ?? this.#inIntegers(model, this.#request.images)
  }

  async #inIntegers(model: Model, count: number): Promise<Model> {
    const { engine } = this.#original
    return (await quantizeModel(model, { images: this.#images(count), engine })).model
  }

  /** Of training, as many as there are, but one of each class at least. */
  #images(count = this.#request.images): Dataset {
    const { train } = this.#options.data
    return take(train, Math.min(Math.max(count, train.classes.length), train.length), this.#request.seed)
  }
}

/** The model last: where it is, all is. @param from where it is known which images it was trained on */
export async function keep(folder: string, model: Model, from: string): Promise<void> {
  await carryTrainedImages(folder, readTrainedImages(from))
  await writeCheckpoint(new RunFolder(folder).model, { model })
}

/** So many training images, at most a fifth, decide about accuracy where there are none for validation. */
const HELD_BACK = 2000

/** Data with images that decide about accuracy, on which nothing is trained: those for validation, or a part of train. */
export function withValidation(data: LoadedData): LoadedData & { readonly validation: Dataset } {
  if (data.validation !== undefined) return { ...data, validation: data.validation }
  const { train, test: validation } = split(data.train, Math.min(0.2, HELD_BACK / data.train.length))
  return { ...data, train, validation }
}
