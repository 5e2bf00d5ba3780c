/** @file What the WebAssembly files must agree on with this version: the table of kernels, and how a plan lies in memory. */
import { wasmKernelHeaders } from 'fovea/engine'

/** One more when lay-plan.ts writes something else, or a function of native/engine.cc takes something else. */
const LAYOUT = 1

/** FNV-1a, 32 bits: a file says in `interface()` by which it was built. */
export const interfaceHash: number = hashOf(JSON.stringify([LAYOUT, wasmKernelHeaders]))

function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
