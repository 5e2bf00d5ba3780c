/** @file How far the native engine is from the reference. */
import { differencesOn } from '../../fovea/test/engines/differences.js'
import type { CaseGraph } from '../../fovea/test/ops/cases/case.js'
import { onednnEngine } from '../src/index.js'

export { epsilon, withinEach } from '../../fovea/test/engines/differences.js'

/** On two threads. */
export const differences = (graph: Pick<CaseGraph, 'graph' | 'feeds'>) =>
  differencesOn(onednnEngine({ threads: 2 }), graph)
