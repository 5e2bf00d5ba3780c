/** @file The two WebAssembly files: which of them this machine runs, and how they are read. */
import { EngineError } from 'fovea/engine'
import { interfaceHash } from './interface.js'
import { builtin } from './platform.js'

/** Whether products are rounded once (relaxed SIMD), as a processor has them, or as everywhere (plain SIMD). */
export const simdVariants = ['relaxed', 'plain'] as const
export type Simd = (typeof simdVariants)[number]

/** () → v128 by f32x4.relaxed_madd: valid only where there is relaxed SIMD. */
const relaxedProbe = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 11],
)

/** @returns whether products can be rounded once here */
export const hasRelaxedSimd = (): boolean => WebAssembly.validate(relaxedProbe)

const fileOf = (simd: Simd): URL =>
  simd === 'relaxed'
    ? new URL('../wasm/fovea-relaxed.wasm', import.meta.url)
    : new URL('../wasm/fovea.wasm', import.meta.url)

const unusable = (file: URL, error: unknown): EngineError =>
  new EngineError(`'${file.pathname}' cannot be used: ${error instanceof Error ? error.message : error}`)

/**
 * Reads and compiles a file, at once.
 * @throws EngineError where there is no file system, or the file is not there
 */
export function readModule(simd: Simd): WebAssembly.Module {
  const fs = builtin('node:fs')
  if (fs === undefined) throw new EngineError('a page loads its files first: use `await loadWasmEngine()`')
  const file = fileOf(simd)
  try {
    return new WebAssembly.Module(fs.readFileSync(file))
  } catch (error) {
    throw unusable(file, error)
  }
}

/**
 * The same, in a page too.
 * @throws EngineError where the file is not there
 */
export async function loadModule(simd: Simd): Promise<WebAssembly.Module> {
  if (builtin('node:fs') !== undefined) return readModule(simd)
  const file = fileOf(simd)
  try {
    const response = await fetch(file)
    if (!response.ok) throw new Error(`the server answers ${response.status}`)
    // Not while it streams: that wants a type of content that many servers do not give.
    return await WebAssembly.compile(new Uint8Array(await response.arrayBuffer()))
  } catch (error) {
    throw unusable(file, error)
  }
}

/** @throws EngineError for a file that was built with another table of kernels */
export function checkInterface({ exports }: WebAssembly.Instance): void {
  const own = (exports['interface'] as () => number)() >>> 0
  if (own !== interfaceHash) {
    throw new EngineError('the WebAssembly files are of another version than this package: run `npm run build:wasm`')
  }
}
