/** @file The engine of Fovea in WebAssembly. */

export { loadWasmEngine, type WasmOptions, wasmEngine } from './engine.js'
export { MOST_THREADS } from './team.js'
