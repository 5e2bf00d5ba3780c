/** @file The native engine of Fovea. */
export {
  MOST_THREADS,
  type OnednnOptions,
  type OnednnProgram,
  type OnednnStatus,
  onednnEngine,
  onednnStatus,
  type StepProfile,
} from './engine.js'
export { type AddonOrigin, buildScript, NoAddonError } from './find-addon.js'
