/** @file The native engine of Fovea. */

export { MOST_THREADS, type OnednnOptions, type OnednnStatus, onednnEngine, onednnStatus } from './engine.js'
export { type AddonOrigin, buildScript, NoAddonError } from './find-addon.js'
export type { OnednnProgram, StepProfile } from './program.js'
