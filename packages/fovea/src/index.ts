/** @file The public surface of Fovea's library: everything else may change. */
export * from './errors.js'
export * from './data/array-dataset.js'
export * from './data/batches.js'
export * from './data/dataset.js'
export * from './data/subset.js'
