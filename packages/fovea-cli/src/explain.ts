/** @file `fovea train --explain`: every number that a run would be made of, whether given, from the recipe or a default. */
import {
  checkSettings,
  createModel,
  defaultRecipe,
  initialLossScale,
  type Model,
  parseAugmentation,
  recipeOf,
  resolveSettings,
  trainingGraph,
} from 'fovea'
import { openRunData } from './open-data.js'
import type { Output } from './output.js'
import { type RunRequest, requestedSettings } from './run-record.js'
import { pretrained, startingModel } from './starting-model.js'
import { formatTable } from './table.js'

/** A run whose data are perhaps not known yet. */
export type PlannedRun = Omit<RunRequest, 'data'> & Partial<Pick<RunRequest, 'data'>>

/**
 * With data, the very numbers of the run; without, those for enough images of the model's own size.
 * @throws InvalidArgumentError for settings that make no run; what openRunData throws
 */
export async function explain(planned: PlannedRun, output: Output): Promise<void> {
  const { model: name, size, epochs, data: spec } = planned
  const trained = pretrained(planned, output)
  const data = spec === undefined ? undefined : await openRunData({ ...planned, data: spec }, output, trained)
  const images = data?.train
  const model =
    data === undefined
      ? (trained ?? createModel(name, size === undefined ? {} : { input: [size, size, 3] }))
      : startingModel(planned, data, trained)
  const recipe = planned.recipe ?? defaultRecipe(name)
  const { steps } = recipeOf(recipe)
  const settings = resolveSettings(model, images?.length ?? Number.POSITIVE_INFINITY, requestedSettings(planned))
  checkSettings(model, settings, epochs ?? 1, { data: '' }, undefined)
  parseAugmentation(settings.augmentation, model.preprocessing.size)
  trainingGraph(model.graph, settings)
  const all = {
    ...{ model: name, recipe },
    ...(epochs === undefined ? (steps === undefined ? {} : { steps }) : { epochs }),
    ...(images && { images: images.length, stepsPerEpoch: Math.floor(images.length / settings.batchSize) }),
    ...settings,
    ...(images && { preprocessing: model.preprocessing }),
    ...droppedIn(model),
    ...(settings.precision === 'mixed_float16' && { lossScale: initialLossScale.scale }),
  }
  output.result(all)
  output.show(formatTable([{ title: 'setting' }, { title: 'value' }], flatten(all)))
}

/** The probabilities of the model's random layers, from the image on: dropout, and what whole blocks are left out with. */
function droppedIn({ graph }: Model): { readonly dropout?: number[]; readonly stochasticDepth?: number[] } {
  const rates = (op: string): number[] =>
    graph.nodes.flatMap(node => (node.op === op ? [Number((node.attrs['rate'] as number).toPrecision(4))] : []))
  const [dropout, stochasticDepth] = [rates('dropout'), rates('stochasticDepth')]
  return { ...(dropout.length > 0 && { dropout }), ...(stochasticDepth.length > 0 && { stochasticDepth }) }
}

/** `optimizer.momentum`, `0.9`; `groups.0.match`, `fc.*`. */
function flatten(settings: object, prefix = ''): string[][] {
  return Object.entries(settings).flatMap(([key, value]: [string, unknown]) => {
    const isList = Array.isArray(value) && !value.some(entry => typeof entry === 'object')
    if (isList && value.length === 0) return []
    if (isList) return [[prefix + key, value.join(', ')]]
    return typeof value === 'object' && value !== null
      ? flatten(value, `${prefix}${key}.`)
      : [[prefix + key, String(value)]]
  })
}
