/** @file The engine of Fovea in WebAssembly. */

export { type WasmOptions, wasmEngine } from './engine.js'
export { MOST_THREADS } from './team.js'
