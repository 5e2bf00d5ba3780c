/**
 * @file The headers that are made from the table of kernels (fovea/src/engines/planned/kernels, compiled), and the mark by which an
 * addon says what table it was built with.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The folder that the compiler finds them in. */
export const generated = join(root, 'build/generated')

/**
 * @returns {Promise<Record<string, string>>} the texts by the names of the files
 * @throws Error where the TypeScript is not compiled
 */
export async function headerTexts() {
  const compiled = join(root, 'dist/interface.js')
  if (!existsSync(compiled)) throw new Error('the TypeScript is not compiled: run `npx tsc -b`')
  const { interfaceHash } = await import(compiled)
  const { kernelHeaders } = await import('fovea/engine')
  return { ...kernelHeaders, 'interface.h': `#define FOVEA_INTERFACE "${interfaceHash}"\n` }
}

/** @param {Record<string, string>} texts */
export function writeHeaders(texts) {
  mkdirSync(generated, { recursive: true })
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(generated, name), text)
}
