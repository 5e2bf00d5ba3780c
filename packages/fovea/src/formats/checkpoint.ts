/**
 * @file A saved model: one safetensors file with the weights under torchvision's names, and in its metadata, as JSON, the
 * model's own description (labels, preprocessing, its graph as data, packed) and, of a run that can go on, the state of training.
 * One file, so that it is whole or not there.
 */
import { FormatError } from '../errors.js'
import type { HostArray } from '../graph/arrays.js'
import { type Attributes, slotOwner } from '../graph/graph.js'
import { formatShape, isFloat, sameShape, type TensorType } from '../graph/types.js'
import type { Model } from '../models/model.js'
import { model as modelSetting } from '../models/model-setting.js'
import { group, type Rows } from '../settings/group.js'
import {
  type Checkpoint,
  type EpochMetrics,
  type LossScaleState,
  type TrainingState,
  trainingState,
} from '../train/training-state.js'
import { labelsOf, preprocessingOf } from './description.js'
import { typesOf } from './fit-weights.js'
import { decodeGraph, encodeGraph } from './graph-json.js'
import { asArray, asName, asNumber, asRecord, asString, asWhole, parseJson } from './json.js'
import type { ModelFormat } from './model-source.js'
import { weightsOf } from './model-weights.js'
import { packText, unpackText } from './packed-text.js'
import { decodeSafetensors, encodeSafetensors, isSafetensors, type Safetensors } from './safetensors.js'
import { compact, expand } from './sparse.js'
import { numbersOf, storedNumbers } from './stored-numbers.js'

/** The metadata's entry, and the version of what is in it. */
const ENTRY = 'fovea'
const VERSION = 2
/** Its graph was not packed. */
const FIRST_VERSION = 1
const MAX_EPOCHS = 1_000_000

const checkpointSetting = group('what a saved file holds', {
  model: modelSetting,
  training: trainingState.optional(),
} satisfies Rows<Checkpoint>)

/**
 * The file as chunks. Equal checkpoints give equal bytes.
 * @throws FormatError for a number that JSON cannot hold: what is written can be read; InvalidArgumentError for weights that
 *   are not of their tensor's type
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array[] {
  const { model, training } = checkpointSetting.parse(checkpoint, 'checkpoint')
  const { name, graph, labels, preprocessing, weights } = model
  const { slots, ...progress } = training ?? { slots: new Map<string, HostArray>() }
  const description = {
    version: VERSION,
    model: { name, labels, preprocessing, graph: packText(JSON.stringify(encodeGraph(graph), onlyFinite)) },
    ...(training === undefined ? {} : { training: progress }),
  }
  const types = typesOf(graph)
  const slotType = (key: string): TensorType =>
    types.get(slotOwner(key) ?? '') ?? { shape: [slots.get(key)!.length], dtype: 'float32' }
  const tensors = new Map([
    ...[...weights].flatMap(([key, values]) => {
      const type = types.get(key)!
      const tensor = storedNumbers(key, values, type)
      // Biases and what norms hold may be 0 for other reasons, and are few.
      const holdsConnections = (isFloat(type.dtype) || type.dtype === 'int8') && type.shape.length > 1
      return holdsConnections ? compact(key, tensor) : [[key, tensor] as const]
    }),
    ...[...slots].map(([key, values]) => [key, storedNumbers(key, values, slotType(key))] as const),
  ])
  return encodeSafetensors({ tensors, metadata: { [ENTRY]: JSON.stringify(description, onlyFinite) } })
}

/**
 * The checkpoint that a file holds.
 * @param name the file's, for messages
 * @throws FormatError naming what is wrong with the file
 */
export function decodeCheckpoint(name: string, file: Uint8Array): Checkpoint {
  const stored = decodeSafetensors(name, file)
  if (stored.metadata[ENTRY] !== undefined) return checkpointOf(name, stored)
  throw new FormatError(
    `'${name}' holds weights without a description of their model: importWeights reads them for a model by name`,
  )
}

/** Every safetensors file has weights; those that Fovea wrote have the model too. */
export const safetensors: ModelFormat = {
  matches: isSafetensors,
  open(name, file) {
    const stored = decodeSafetensors(name, file)
    const weights = { name, format: 'a safetensors file', tensors: stored.tensors, notes: [] }
    if (stored.metadata[ENTRY] === undefined) return { weights }
    return { weights, graph: { format: 'a model of Fovea', read: () => checkpointOf(name, stored) } }
  },
}

function checkpointOf(name: string, stored: Safetensors): Checkpoint {
  try {
    const description = asRecord(parseJson(stored.metadata[ENTRY], 'its description'), 'its description')
    const version = description['version']
    if (version !== VERSION && version !== FIRST_VERSION) {
      throw new FormatError(`its version is ${String(version)}, this Fovea reads ${FIRST_VERSION} to ${VERSION}`)
    }
    const model = modelOf(asRecord(description['model'], 'model'), stored)
    const { training } = description
    return training === undefined
      ? { model }
      : { model, training: trainingOf(asRecord(training, 'training'), model, stored) }
  } catch (error) {
    throw error instanceof FormatError
      ? new FormatError(`'${name}' is no checkpoint of Fovea: ${error.message}`)
      : error
  }
}

function onlyFinite(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new FormatError(`'${key}' is ${value}: it cannot be saved`)
  return value
}

function modelOf(json: Readonly<Record<string, unknown>>, { tensors }: Safetensors): Model {
  const packed = json['graph']
  const graph = decodeGraph(typeof packed === 'string' ? parseJson(unpackText(packed, 'graph'), 'graph') : packed)
  const [image, logits] = [graph.nodes.find(({ op }) => op === 'input'), graph.outputs.get('logits')]
  if (image?.name !== 'image' || image.outputs[0].shape.length !== 4 || logits?.type.shape.length !== 2) {
    throw new FormatError('its graph does not lead from an image to logits')
  }
  const preprocessing = preprocessingOf(json['preprocessing'])
  const labels = labelsOf(json['labels'], logits.type.shape[1])
  if (!sameShape(preprocessing.size, image.outputs[0].shape.slice(1))) {
    throw new FormatError(
      `its images are ${preprocessing.size.join('×')}, its graph takes ${formatShape(image.outputs[0].shape)}`,
    )
  }
  return { name: asName(json['name'], 'name'), graph, weights: weightsOf(graph, tensors), preprocessing, labels }
}

function trainingOf(json: Readonly<Record<string, unknown>>, model: Model, { tensors }: Safetensors): TrainingState {
  const whole = (name: string): number => asWhole(json[name], `training.${name}`, 0)
  const types = typesOf(model.graph)
  const slots = [...expand(tensors, types)].flatMap(([name, tensor]) => {
    if (types.has(name)) return []
    const type = types.get(slotOwner(name) ?? '')
    if (type === undefined || !sameShape(type.shape, tensor.shape)) {
      throw new FormatError(`'${name}' belongs to no parameter of the model`)
    }
    return [[name, numbersOf(name, tensor, type)] as const]
  })
  const { lossScale, heldOut } = json
  return {
    ...(lossScale === undefined ? {} : { lossScale: lossScaleOf(asRecord(lossScale, 'training.lossScale')) }),
    settings: asRecord(json['settings'], 'training.settings') as Attributes,
    data: asString(json['data'], 'training.data'),
    ...(heldOut === undefined ? {} : { heldOut: asString(heldOut, 'training.heldOut') }),
    epoch: whole('epoch'),
    step: whole('step'),
    lossSum: asNumber(json['lossSum'], 'training.lossSum'),
    correct: whole('correct'),
    history: asArray(json['history'], 'training.history', MAX_EPOCHS).map((row, i) =>
      epochOf(row, `training.history[${i}]`),
    ),
    slots: new Map(slots),
  }
}

function lossScaleOf(json: Readonly<Record<string, unknown>>): LossScaleState {
  const whole = (name: string): number => asWhole(json[name], `training.lossScale.${name}`, 0)
  const scale = asNumber(json['scale'], 'training.lossScale.scale')
  if (!(scale > 0)) throw new FormatError(`training.lossScale.scale must be above 0, got ${scale}`)
  return { scale, goodSteps: whole('goodSteps'), skippedSteps: whole('skippedSteps') }
}

function epochOf(json: unknown, what: string): EpochMetrics {
  const row = asRecord(json, what)
  const number = (name: string): number => asNumber(row[name], `${what}.${name}`)
  const metrics = {
    epoch: asWhole(row['epoch'], `${what}.epoch`, 1),
    loss: number('loss'),
    accuracy: number('accuracy'),
  }
  if (row['validationLoss'] === undefined) return metrics
  return { ...metrics, validationLoss: number('validationLoss'), validationAccuracy: number('validationAccuracy') }
}
