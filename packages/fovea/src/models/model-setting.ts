/** @file A model as an argument: anything may be given, a model is taken. */
import { custom } from '../settings/kinds.js'
import { type Setting, unexpected } from '../settings/setting.js'
import type { Model } from './model.js'

const expected = "a model, as createModel('resnet20') makes one"

/** Its weights are left alone: they are made when they are first asked for. */
const isModel = (value: unknown): value is Model =>
  typeof value === 'object' &&
  value !== null &&
  'weights' in value &&
  ['graph', 'preprocessing', 'labels'].every(part => typeof (value as Record<string, unknown>)[part] === 'object')

export const model: Setting<Model> = custom('what is trained, measured or asked', expected, (value, path) => {
  if (!isModel(value)) throw unexpected(path, expected, value, remedyFor(value))
  return value
})

/** @throws SettingError for what is no model */
export const modelOf = (value: unknown): Model => model.parse(value, 'model')

function remedyFor(value: unknown): string | undefined {
  if (typeof value === 'string') return `write createModel('${value}')`
  if (typeof value === 'function') return 'call it'
  // A run, a classifier, what a checkpoint holds.
  return typeof value === 'object' && value !== null && 'model' in value && isModel(value.model)
    ? 'its `model` is one'
    : undefined
}
