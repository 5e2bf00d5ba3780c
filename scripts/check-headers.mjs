#!/usr/bin/env node
/**
 * @file The addon's sources compile without a warning against the oneDNN of both Debian releases, whichever this machine
 * runs: the other's headers come from its package, which is unpacked into a folder that is kept in node_modules.
 * usage: node scripts/check-headers.mjs    Says what it skips and why, offline and where there is no Debian.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { compileFlags, native, sources } from '../packages/fovea-onednn/scripts/flags.mjs'
import { headerTexts, writeHeaders } from '../packages/fovea-onednn/scripts/generate.mjs'
import { findCompiler, findOnednn, missingTools } from '../packages/fovea-onednn/scripts/toolchain.mjs'
import { ownRelease, releases, unpackPackage } from './debian.mjs'
import { skip } from './skip.mjs'

const cache = join(dirname(dirname(fileURLToPath(import.meta.url))), 'node_modules/.cache/fovea/libdnnl-dev')

if (findCompiler() === undefined) await skip(missingTools())
else await check()

async function check() {
  writeHeaders(await headerTexts())
  const compiler = findCompiler()
  const own = findOnednn(compiler)
  const sets = own === undefined ? [] : [{ name: 'this machine', folder: own }]
  for (const release of releases.filter(name => name !== ownRelease())) {
    const folder = join(cache, release)
    const hindrance = existsSync(folder) ? undefined : unpackPackage({ release, name: 'libdnnl-dev', folder })
    if (hindrance === undefined) sets.push({ name: release, folder: join(folder, 'usr') })
    else await skip(`oneDNN's headers of ${release}: ${hindrance}`)
  }
  // The first set is for all sources, the others for those only to which they make a difference.
  const jobs = sets.flatMap((set, index) => (index === 0 ? sources : withOnednn()).map(source => ({ set, source })))
  const work = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await compile(compiler, job)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
}

function withOnednn() {
  return sources.filter(({ name }) => readFileSync(join(native, name), 'utf8').includes('<dnnl.hpp>'))
}

async function compile(compiler, { set, source }) {
  const args = ['-fsyntax-only', '-Werror', ...compileFlags(set.folder), ...source.isa, join(native, source.name)]
  try {
    await promisify(execFile)(compiler, args)
  } catch (error) {
    console.error(`${source.name} with the oneDNN of ${set.name}:\n${error.stderr ?? error.message}`)
    process.exitCode = 1
  }
}
