/**
 * @file Claims about Fovea installed from npm: `npm install fovea-cli` in an empty folder brings a native engine, and where
 * npm left that out, one message says what to type. Installs packed files of this checkout; needs no network.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { cannotPack, type Finished, installPacked, npxFovea } from './install-packed.js'

const name = 'fovea-onednn-linux-x64'
let folder = ''
let tried: Finished

beforeAll(async () => {
  if (cannotPack === undefined) ({ folder, tried } = await installPacked())
})

beforeEach(context => context.skip(cannotPack !== undefined, cannotPack))

/** A command that runs an engine, briefly. */
const small = ['bench', 'resnet8', '--mode', 'infer', '--batch', '1', '--steps', '1', '--json']

const installed = (...path: string[]): string => join(folder, 'node_modules', ...path)

test('npm install fovea-cli in an empty folder trains natively, with the addon of the platform’s package', () => {
  expect(tried, tried.stderr).toMatchObject({ code: 0, stderr: '' })
  expect(tried.stdout).toMatch(/^engine: onednn [\d.]+ .* from fovea-onednn-linux-x64\ntrained resnet8 at \d+ images/)
})

test('the licences of what the package holds are in it', () => {
  const text = (file: string): string => readFileSync(installed(name, file), 'utf8')
  const libraries = readdirSync(installed(name, 'build')).filter(file => file.includes('.so.'))
  expect(libraries.map(file => file.replace(/\.so.*/, ''))).toEqual(expect.arrayContaining(['libdnnl', 'libgomp']))
  for (const library of libraries) {
    const [, licence] = new RegExp(`^\\| \`${library}\` .*\\]\\((\\S+\\.copyright)\\) \\|$`, 'm').exec(
      text('build/licences/SOURCES.md'),
    )!
    expect(text(`build/licences/${licence}`)).toContain('opyright')
    expect(text('THIRD-PARTY-NOTICES.md')).toContain(`\`build/${library.replace(/\.so.*/, '.so')}`)
  }
  expect(text('build/licences/libgomp1.copyright')).toContain('GCC RUNTIME LIBRARY EXCEPTION')
  expect(text('build/licences/GPL-3')).toContain('GNU GENERAL PUBLIC LICENSE')
  for (const licence of ['LICENSE', 'build/licences/Apache-2.0']) expect(text(licence)).toContain('Apache License')
  for (const ours of ['fovea', 'fovea-onednn', 'fovea-wasm', 'fovea-cli']) {
    expect(readdirSync(installed(ours))).toEqual(expect.arrayContaining(['LICENSE', 'README.md']))
  }
})

test('a build of this machine comes first, and is passed over aloud where it does not load', async () => {
  const build = installed('fovea-onednn/build')
  mkdirSync(build)
  writeFileSync(join(build, 'fovea_onednn.node'), 'no library')
  const { code, stdout } = await npxFovea(folder, ['setup', '--json'])
  const { stderr } = await npxFovea(folder, small)
  rmSync(build, { recursive: true })
  expect(stderr).toMatch(/^local build does not load: .*; running with fovea-onednn-linux-x64\n$/)
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    engine: 'onednn',
    source: name,
    passedOver: [expect.stringMatching(/^local build does not load: .*fovea_onednn\.node/)],
  })
})

test('where npm left the package out, it says what to type, and no other engine is taken in silence', async () => {
  const { version } = JSON.parse(readFileSync(installed(name, 'package.json'), 'utf8'))
  const command = `npm install --save-optional ${name}@${version}`
  renameSync(installed(name), join(folder, 'aside'))
  const asked = await npxFovea(folder, [...small, '--engine', 'onednn'])
  const fallback = await npxFovea(folder, small)
  const setup = await npxFovea(folder, ['setup', '--json'], { CXX: 'no-such-compiler' })
  renameSync(join(folder, 'aside'), installed(name))
  expect(asked.code).toBe(1)
  expect(asked.stderr).toContain(`its package ${name} is missing`)
  expect(asked.stderr.trim().split('\n')).toHaveLength(1)
  expect(asked.stderr).toContain(`run \`${command}\``)
  expect(fallback.stderr).toMatch(/^running in WebAssembly, slower than the native engine, because .* is missing/)
  expect(JSON.parse(fallback.stdout)).toMatchObject({ engine: 'wasm' })
  expect(setup.code).toBe(1)
  expect(JSON.parse(setup.stdout).problem).toContain(command)
  expect(JSON.parse(setup.stdout).problem).toContain("CXX is 'no-such-compiler', which cannot be run")
})

test('where the addon cannot be built because the folder is not writable, setup names it and says what to type', async () => {
  const build = installed('fovea-onednn/build')
  writeFileSync(build, 'no folder') // In a folder without permission, root may write all the same.
  const { code, stdout, stderr } = await npxFovea(folder, ['setup', '--build', '--json'])
  rmSync(build)
  expect(code).toBe(1)
  const script = installed('fovea-onednn/scripts/build.mjs')
  expect(stderr).toContain(`'${build}' cannot be written (EEXIST): run \`sudo ${process.execPath} ${script}\``)
  expect(JSON.parse(stdout)).toMatchObject({ engine: 'onednn', source: name })
})
