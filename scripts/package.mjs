#!/usr/bin/env node
/**
 * @file Makes the packages as they are published: the four of JavaScript, and that of this platform with the addon built
 * here. Prints their files.
 * usage: node scripts/package.mjs [--to FOLDER] [--dependencies] [--local]
 *   --to            an empty folder for them, instead of build/packages, which is emptied
 *   --dependencies  packs what they depend on too, from node_modules into FOLDER/dependencies: then scripts/try-package.mjs
 *                   needs no network
 *   --local         for this machine only: leaves out the check that older systems can load the addon
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundleAddon } from './bundle-addon.mjs'
import { bundlePage } from './bundle-page.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values } = parseArgs({
  options: {
    to: { type: 'string' },
    dependencies: { type: 'boolean', default: false },
    local: { type: 'boolean', default: false },
  },
})
const { workspaces, optionalDependencies } = readJson('package.json')

/** The package of this platform, as its own package.json has it. */
const platformPackage = Object.keys(optionalDependencies).find(name => {
  const { os, cpu } = readJson(`packages/${name}/package.json`)
  return os.includes(process.platform) && cpu.includes(process.arch)
})

try {
  if (platformPackage === undefined) throw new Error(`there is no package for ${process.platform}-${process.arch}`)
  const target = emptyFolder(values.to)
  bundleAddon({ root, name: platformPackage, local: values.local })
  await bundlePage()
  const made = pack([...workspaces, `packages/${platformPackage}`], target)
  for (const file of made) console.log(join(target, file))
  if (values.dependencies) packDependencies(join(target, 'dependencies'))
} catch (error) {
  console.error(`package: ${error.message}`)
  process.exit(1)
}

/** Where the packages that ours depend on lie in node_modules, those of other platforms left out. */
function dependencies() {
  return Object.entries(readJson('package-lock.json').packages).flatMap(([path, { dev, link }]) =>
    path.includes('node_modules/') && !dev && !link && existsSync(join(root, path)) ? [path] : [],
  )
}

/**
 * Packs them from copies without scripts: they are built already, and what would build them (`prepare`, which npm 9 runs though it is
 * asked not to) is not installed.
 */
function packDependencies(into) {
  const copies = mkdtempSync(join(tmpdir(), 'fovea-dependencies-'))
  try {
    const folders = dependencies().map((path, i) => {
      const [from, copy] = [join(root, path), join(copies, String(i))]
      cpSync(from, copy, { recursive: true, filter: entry => entry !== join(from, 'node_modules') })
      const { scripts: _, ...others } = readJson(join(path, 'package.json'))
      writeFileSync(join(copy, 'package.json'), JSON.stringify(others))
      return copy
    })
    pack(folders, into)
  } finally {
    rmSync(copies, { recursive: true, force: true })
  }
}

function emptyFolder(wished) {
  if (wished !== undefined && existsSync(wished) && readdirSync(wished).length > 0) {
    throw new Error(`'${wished}' is not empty: name another folder`)
  }
  const folder = resolve(wished ?? join(root, 'build/packages'))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}

function pack(folders, into) {
  mkdirSync(into, { recursive: true })
  const specs = folders.map(folder => resolve(root, folder))
  const args = ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', into, ...specs]
  const { status, stdout } = spawnSync('npm', args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error('npm pack failed (see above)')
  return stdout.trim().split('\n')
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}
