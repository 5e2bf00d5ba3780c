/** @file `fovea train --explain`: every number that a run would be made of, whether given, from the recipe or a default. */
import { createModel, resolveSettings } from 'fovea'
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
