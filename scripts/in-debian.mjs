#!/usr/bin/env node
/**
 * @file Runs a program in a Debian that scripts/try-on.mjs made and kept: to look why something failed there, or as the Python
 * of bench/speed.mjs. As root, on Linux.
 * usage: node scripts/in-debian.mjs FOLDER PROGRAM [ARGUMENT]…
 */
import { spawnSync } from 'node:child_process'
import { inDebian } from './debian-root.mjs'

const [folder, ...program] = process.argv.slice(2)
if (program.length === 0) {
  console.error('usage: node scripts/in-debian.mjs FOLDER PROGRAM [ARGUMENT]…')
  process.exit(2)
}
const [command, ...args] = inDebian({ folder, args: program })
process.exit(spawnSync(command, args, { stdio: 'inherit' }).status ?? 1)
