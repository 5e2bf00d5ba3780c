/** @file The native engine of Fovea. */
export {
  MOST_THREADS,
  type OnednnOptions,
  type OnednnProgram,
  onednnEngine,
  onednnStatus,
  type StepProfile,
} from './engine.js'
