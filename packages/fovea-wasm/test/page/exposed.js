/** @file What the tests call in a page, whichever files its import map names. */
import * as fovea from 'fovea'
import { loadWasmEngine, wasmEngine } from 'fovea-wasm'
import { compute } from './compute.js'

Object.assign(globalThis, {
  loadWasmEngine,
  wasmEngine,
  computed: async (options, how) => compute(fovea, await loadWasmEngine(options), how),
  byDefault: async () => (await fovea.defaultEngine()).description,
})
