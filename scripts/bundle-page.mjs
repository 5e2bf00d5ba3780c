#!/usr/bin/env node
/**
 * @file The library and its engine in WebAssembly as one file, packages/fovea-wasm/dist/fovea.js: for pages that are made without a
 * bundler. The WebAssembly files are fetched from where they lie beside it. `npm run package` makes it.
 * usage: node scripts/bundle-page.mjs    after `npx tsc -b`
 */
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** @returns {Promise<string>} the file */
export async function bundlePage() {
  const outfile = join(root, 'packages/fovea-wasm/dist/fovea.js')
  await build({
    stdin: {
      contents: "export * from 'fovea'\nexport * from 'fovea/browser'\nexport * from 'fovea-wasm'\n",
      resolveDir: root,
    },
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'warning',
  })
  return outfile
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) console.log(await bundlePage())
