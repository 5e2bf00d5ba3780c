/** @file What the WebAssembly files are built from, a hash of it, and hashes of the files. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Where the kernels are that all engines share. */
const shared = join(root, '../fovea-onednn/native')

/** Where the compiler looks for headers; first those that are made from the table of kernels. */
export const folders = [join(root, 'build/generated'), join(root, 'native'), shared]

/**
 * @returns {Promise<Record<string, string>>} the texts by the names of the files
 * @throws Error where the TypeScript is not compiled
 */
export async function generatedHeaders() {
  const compiled = join(root, 'dist/interface.js')
  if (!existsSync(compiled)) throw new Error('the TypeScript is not compiled: run `npx tsc -b`')
  const { interfaceHash } = await import(compiled)
  const { wasmKernelHeaders } = await import('fovea/engine')
  return headersOf(wasmKernelHeaders, interfaceHash)
}

/**
 * The same of a table and its hash.
 * @param {Readonly<Record<string, string>>} tableHeaders
 * @param {number} interfaceHash
 * @returns {Record<string, string>}
 */
export const headersOf = (tableHeaders, interfaceHash) => ({
  ...tableHeaders,
  'interface.h': `#define FOVEA_INTERFACE ${interfaceHash}u\n`,
})

/**
 * Of all sources, the way they are compiled and the headers that are made.
 * @param {Readonly<Record<string, string>>} headers
 * @returns {string}
 */
export function sourcesHash(headers) {
  const list = (folder, pattern) =>
    readdirSync(folder)
      .filter(name => pattern.test(name))
      .sort()
      .map(name => join(folder, name))
  const files = [
    ...list(join(root, 'native'), /\.(h|cc)$/),
    ...list(join(shared, 'kernels'), /\.h$/),
    ...['fields.h', 'parallel.h', 'simd.h', 'step.h'].map(name => join(shared, name)),
    join(root, 'scripts/build.mjs'),
  ]
  const hash = createHash('sha256')
  for (const file of files) hash.update(JSON.stringify([relative(root, file), readFileSync(file, 'utf8')]))
  return hash.update(JSON.stringify(Object.entries(headers).sort())).digest('hex')
}

/**
 * Of the files that are built, by their names.
 * @returns {Record<string, string>}
 */
export function filesHashes() {
  const folder = join(root, 'wasm')
  const names = readdirSync(folder).filter(name => name.endsWith('.wasm'))
  const hashOf = name =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
  return Object.fromEntries(names.sort().map(name => [name, hashOf(name)]))
}
