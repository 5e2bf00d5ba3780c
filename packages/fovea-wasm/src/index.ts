/** @file The engine of Fovea in WebAssembly. */

export { loadWasmEngine, type WasmEngine, type WasmOptions, wasmEngine } from './engine.js'
export { type Simd, simdVariants } from './module.js'
export { MOST_THREADS } from './team.js'
