/** @file The worker of the page that learns classes of one's own: it keeps the pictures, trains, tells pictures apart, writes files. */
import {
  type Dataset,
  decodeCheckpoint,
  type Engine,
  encodeCheckpoint,
  encodeOnnx,
  type Model,
  measureNormalization,
  mostProbable,
  openPredictor,
  type Prediction,
  type Predictor,
  recipes,
  replaceHead,
  resnet8,
  splitLabels,
  subset,
  type TrainOptions,
} from 'fovea'
import { decodeImage, imageDataset } from 'fovea/browser'
import { loadWasmEngine } from 'fovea-wasm'
import { serve } from './calls.js'
import { type Progress, type Results, resultsOf, trainAndTell } from './learning.js'
import { keptPicture, type Picture } from './pictures.js'
import { blobOf, decodeProject, encodeProject, type LabelledPicture } from './project.js'

/** Of a model that starts from nothing: small enough for a phone. */
const SIZE = 48
/** Every fifth picture of a class is held out. */
const HELD_OUT = 0.2
/** Of the head of a backbone, on features that are computed once. */
const HEAD_EPOCHS = 20

export type Format = 'safetensors' | 'onnx'

/** What a project holds, to be shown. */
export interface Opened {
  readonly pictures: readonly LabelledPicture[]
  readonly isTrained: boolean
}

/** What came of pictures that were added to a class. */
export interface Added {
  readonly kept: readonly Blob[]
  readonly refused: readonly string[]
}

export class Classes {
  #engine: Engine | undefined
  /** By class. What is still decoded for a class that was removed, or for another project, goes to a list that nobody has any more. */
  #pictures = new Map<string, Blob[]>()
  #model: Model | undefined
  /** Of this model; kept from its opening on. */
  #predictor: Promise<Predictor> | undefined
  #backbone: Model | undefined
  #ending = new AbortController()

  constructor(readonly tell: (progress: Progress) => void) {}

  /** @returns what computes here */
  async start(): Promise<string> {
    this.#engine = await loadWasmEngine()
    return this.#engine.description
  }

  /** @returns the pictures as they are kept, and the names of files that the browser cannot read, which are left out */
  async add(label: string, pictures: readonly Picture[]): Promise<Added> {
    const all = this.#pictures.get(label) ?? []
    this.#pictures.set(label, all)
    const added = { kept: [] as Blob[], refused: [] as string[] }
    for (const picture of pictures) {
      const image = await keptPicture(picture).catch(() => undefined)
      if (image === undefined) {
        added.refused.push(picture instanceof File ? picture.name : 'a frame of the camera')
        continue
      }
      added.kept.push(image)
      all.push(image)
    }
    return added
  }

  removeClass(label: string): void {
    this.#pictures.delete(label)
  }

  #labelled(): LabelledPicture[] {
    return [...this.#pictures].flatMap(([label, images]) => images.map(image => ({ label, image })))
  }

  /** Trains a new model, or the backbone: its new head alone, then its last stage too. */
  async train({ epochs }: { readonly epochs: number }): Promise<Results> {
    this.#ending = new AbortController()
    const { signal } = this.#ending
    const pictures = new Map([...this.#pictures].filter(([, images]) => images.length > 0))
    const start = this.#startingModel(pictures)
    const { size, resizing } = start.preprocessing
    const all = await imageDataset(pictures, { size, ...(resizing && { resizing }), signal })
    const heldOut = splitLabels(all.labels, all.classes.length, HELD_OUT, 0)
    const [train, test] = [0, 1].map(part => [...heldOut.keys()].filter(i => heldOut[i] === part))
    const data = { train: subset(all, train), test: subset(all, test) }
    const { model, evaluation } = await (this.#backbone ? this.#fineTune(start, data, epochs) : this.#new(data, epochs))
    this.#keep(model)
    return resultsOf(evaluation, all, index => all.pictures[test[index]] as Blob)
  }

  /** @throws Error where there is too little to learn from */
  #startingModel(pictures: ReadonlyMap<string, readonly Blob[]>): Model {
    const classes = [...pictures.keys()]
    if (classes.length < 2) throw new Error('there is nothing to tell apart: give pictures of two classes or more')
    const few = classes.find(name => pictures.get(name)!.length < 2)
    if (few !== undefined) throw new Error(`'${few}' has one picture: give it two or more, of which some are held out`)
    return this.#backbone ? replaceHead(this.#backbone, classes) : resnet8({ input: [SIZE, SIZE, 3], labels: classes })
  }

  #settings({ train }: { readonly train: Dataset }): Pick<TrainOptions, 'engine' | 'signal' | 'batchSize'> {
    return { engine: this.#engine!, signal: this.#ending.signal, batchSize: Math.min(16, train.length) }
  }

  #new(data: { readonly train: Dataset; readonly test: Dataset }, epochs: number) {
    const { imageShape: input, classes: labels } = data.train
    const model = resnet8({ input, labels, normalization: measureNormalization(data.train), seed: 0 })
    const settings = { ...this.#settings(data), data, epochs, classWeights: 'balanced' as const }
    return trainAndTell(model, settings, 'training', this.tell)
  }

  async #fineTune(start: Model, data: { readonly train: Dataset; readonly test: Dataset }, epochs: number) {
    const settings = { ...this.#settings(data), data }
    const head = { ...settings, recipe: 'linear-probe' as const, epochs: HEAD_EPOCHS }
    const first = await trainAndTell(start, head, 'the head', this.tell)
    if (first.interrupted) return first
    const groups = recipes.finetune.groups!(start)
    const stage = groups.findIndex(({ from }) => from !== undefined)
    const learning = [...groups.slice(0, stage), { ...groups[stage], from: 0 }, { match: '*', rate: 0 }]
    const last = { ...settings, recipe: 'finetune' as const, groups: learning, epochs }
    return trainAndTell(first.model, last, 'the last stage', this.tell)
  }

  /** Ends the training after the step under way, or before the first. */
  stop(): void {
    this.#ending.abort(new Error('the training was stopped before its first step'))
  }

  #keep(model: Model | undefined): void {
    this.#predictor?.then(
      predictor => predictor.dispose(),
      () => {},
    )
    this.#predictor = undefined
    this.#model = model
  }

  /** @throws Error before anything was trained */
  #trained(): Model {
    if (this.#model === undefined) throw new Error('there is no model yet: train one')
    return this.#model
  }

  /** The classes of a picture, most probable first. */
  async classify(picture: Picture): Promise<readonly Prediction[]> {
    const model = this.#trained()
    this.#predictor ??= openPredictor(model, { engine: this.#engine!, batchSize: 1 })
    const predictor = await this.#predictor
    const { size, resizing } = model.preprocessing
    // As the pictures that it learned from: over white, shrunk alike.
    const pixels = await decodeImage(await keptPicture(picture), size, resizing)
    return mostProbable(await predictor.probabilities(pixels), model.labels)[0]
  }

  /** From now on, trainings start from a model that Fovea saved. @returns its name */
  async openBackbone(file: File): Promise<string> {
    this.#backbone = decodeCheckpoint(file.name, new Uint8Array(await file.arrayBuffer())).model
    return this.#backbone.name
  }

  saveProject(): Promise<Blob> {
    return encodeProject({ pictures: this.#labelled(), model: this.#model })
  }

  async openProject(file: File): Promise<Opened> {
    const { pictures, model } = decodeProject(file.name, new Uint8Array(await file.arrayBuffer()))
    this.#pictures = new Map(pictures.map(({ label }) => [label, []]))
    for (const { label, image } of pictures) this.#pictures.get(label)!.push(image)
    this.#keep(model)
    return { pictures, isTrained: model !== undefined }
  }

  /** The model for `fovea`, or for ONNX Runtime: pixels in, probabilities out. */
  exportModel(format: Format): Blob {
    const model = this.#trained()
    return blobOf(format === 'onnx' ? encodeOnnx(model, { preprocessing: true }) : encodeCheckpoint({ model }))
  }
}

serve<Progress>(tell => new Classes(tell))
