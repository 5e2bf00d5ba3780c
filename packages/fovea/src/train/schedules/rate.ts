/** @file What is said of learning rates in every schedule. */
import { number } from '../../settings/kinds.js'

/** The highest of the run. */
export const rateSetting = number('the learning rate', { from: 0 })
