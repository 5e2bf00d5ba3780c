/** @file How far the native engine is from the reference. */
import { differencesOn, type Given } from '../../fovea/test/engines/differences.js'
import { onednnEngine } from '../src/index.js'

export { epsilon, withinEach } from '../../fovea/test/engines/differences.js'

/** On two threads. */
export const differences = (given: Given) => differencesOn(onednnEngine({ threads: 2 }), given)
