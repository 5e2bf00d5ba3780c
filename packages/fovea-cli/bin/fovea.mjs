#!/usr/bin/env node
/** @file What `npx fovea` starts. It is no build output, so that npm can link it before anything is compiled. */
import { existsSync } from 'node:fs'

const main = new URL('../dist/main.js', import.meta.url)
if (existsSync(main)) {
  await import(main.href)
} else {
  console.error('fovea: not built yet; run `npm run setup` in the checkout first')
  process.exitCode = 1
}
