#!/usr/bin/env node
/** @file What `npx fovea` starts. It is no build output, so that npm can link it before anything is compiled. */
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/main.js', import.meta.url)
if (existsSync(main)) {
  // Node 22 and newer keep compiled code on the disk.
  module.enableCompileCache?.()
  // `require` loads hundreds of modules in less time than `import`, which turns to the event loop for each. Node 22 has it for
  // ECMAScript modules from 22.12 on.
  if (process.features.require_module) module.createRequire(import.meta.url)(fileURLToPath(main))
  else await import(main.href)
} else {
  console.error('fovea: not built yet; run `npm run setup` in the checkout first')
  process.exitCode = 1
}
