/** @file `fovea train --explain`: every number that a run would be made of, whether given, from the recipe or a default. */
import { createModel, defaultRecipe, recipeOf, resolveSettings } from 'fovea'
import type { Output } from './output.js'
import { type RunRequest, requestedSettings } from './run-record.js'
import { pretrained } from './starting-model.js'
import { formatTable } from './table.js'

/** A run whose data are not known yet. */
export type PlannedRun = Omit<RunRequest, 'data'> & Partial<Pick<RunRequest, 'data'>>

/** @throws FoveaError for settings that make no run */
export function explain(planned: PlannedRun, output: Output): void {
  const { model: name, size, epochs } = planned
  const model = pretrained(planned) ?? createModel(name, size === undefined ? {} : { input: [size, size, 3] })
  const settings = resolveSettings(model, Number.POSITIVE_INFINITY, requestedSettings(planned))
  const recipe = planned.recipe ?? defaultRecipe(name)
  const { steps } = recipeOf(recipe)
  const length = epochs === undefined ? (steps === undefined ? {} : { steps }) : { epochs }
  const all = { model: name, recipe, ...length, ...settings }
  output.result(all)
  output.say(formatTable([{ title: 'setting' }, { title: 'value' }], flatten(all)))
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
