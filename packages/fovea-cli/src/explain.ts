/** @file `fovea train --explain`: every number that a run would be made of, whether given, from the recipe or a default. */
import { createModel, type RecipeChoice, resolveSettings } from 'fovea'
import type { Output } from './output.js'
import { formatTable } from './table.js'
import type { TrainingPrecision } from './usage.js'

/** What is known of a run before its data are opened. */
export interface PlannedRun extends RecipeChoice {
  readonly model: string
  readonly precision: TrainingPrecision
  readonly seed: number
  readonly batch?: number
  readonly epochs?: number
  readonly size?: number
}

/** @throws FoveaError for settings that make no run */
export function explain({ model: name, batch, size, epochs, ...given }: PlannedRun, output: Output): void {
  const model = createModel(name, size === undefined ? {} : { input: [size, size, 3] })
  const settings = resolveSettings(model, Number.POSITIVE_INFINITY, {
    ...given,
    ...(batch === undefined ? {} : { batchSize: batch }),
  })
  output.result({ model: name, ...(epochs === undefined ? {} : { epochs }), ...settings })
  const rows = [['model', name], ...(epochs === undefined ? [] : [['epochs', String(epochs)]]), ...flatten(settings)]
  output.say(formatTable([{ title: 'setting' }, { title: 'value' }], rows))
}

/** `optimizer.momentum`, `0.9`. */
function flatten(settings: object, prefix = ''): string[][] {
  return Object.entries(settings).flatMap(([key, value]) => {
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (isGroup) return Object.keys(value as object).length > 0 ? flatten(value as object, `${prefix}${key}.`) : []
    return [[prefix + key, Array.isArray(value) ? value.join(', ') : String(value)]]
  })
}
