/** @file The public surface of Fovea's library: everything else may change. */
export * from './errors.js'
