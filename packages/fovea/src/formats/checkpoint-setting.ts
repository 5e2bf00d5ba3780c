/** @file A checkpoint, and the state of training in it, as arguments: anything may be given, what can be saved is taken. */
import { model } from '../models/model-setting.js'
import { isRecord, typeOf } from '../settings/describe.js'
import { group, type Rows } from '../settings/group.js'
import { custom } from '../settings/kinds.js'
import { type Setting, unexpected } from '../settings/setting.js'
import type { Checkpoint, TrainingState } from './checkpoint.js'

const expected = 'the state of a run, `training` of a checkpoint that `save` was given'

/** The state of a run that goes on, or is saved. */
export const trainingState: Setting<TrainingState> = custom('where a run stands', expected, (value, path) => {
  if (isRecord(value)) {
    const { slots, history, settings } = value
    if (typeOf(slots) === 'Map' && Array.isArray(history) && isRecord(settings))
      return value as unknown as TrainingState
  }
  throw unexpected(path, expected, value, isRecord(value) && 'training' in value ? 'its `training` is one' : undefined)
})

const checkpoint = group('what a saved file holds', {
  model,
  training: trainingState.optional(),
} satisfies Rows<Checkpoint>)

/** @throws SettingError for what is no checkpoint */
export const checkpointOf = (value: unknown): Checkpoint => checkpoint.parse(value, 'checkpoint')
