#!/usr/bin/env node
/**
 * @file Writes into wasm/sources.json which files build.mjs has made, after it: so a merge that takes sources.json from one side and
 * the files from the other is noticed. It is not a part of build.mjs, whose text is one of the sources.
 * usage: npm run build:wasm
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesHashes } from './sources.mjs'

const record = join(dirname(dirname(fileURLToPath(import.meta.url))), 'wasm/sources.json')
const { sources } = JSON.parse(readFileSync(record, 'utf8'))
writeFileSync(record, `${JSON.stringify({ sources, files: filesHashes() }, null, 2)}\n`)
