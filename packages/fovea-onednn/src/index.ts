/** @file The native engine of Fovea. */
export { type OnednnOptions, type OnednnProgram, onednnEngine, onednnStatus, type StepTiming } from './engine.js'
