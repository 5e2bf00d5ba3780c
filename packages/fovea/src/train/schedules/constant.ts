/** @file The same learning rate at every step. */
import type { Rows } from '../../settings/group.js'
import { rateSetting } from './rate.js'

export interface ConstantSchedule {
  readonly type: 'constant'
  readonly rate: number
}

/** The table of `ConstantSchedule`. */
export const constantSettings = { rate: rateSetting } satisfies Rows<Omit<ConstantSchedule, 'type'>>
