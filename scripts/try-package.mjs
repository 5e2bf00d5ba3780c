#!/usr/bin/env node
/**
 * @file Tries the packed files as their users will: installs them with npm into an empty folder and trains natively there.
 * Fails unless the native engine comes from the platform's package. Needs Node, npm and tar, and no checkout.
 * usage: node scripts/try-package.mjs FOLDER [--in EMPTY]
 *   FOLDER holds what scripts/package.mjs made; what is not there comes from npm's registry, unless FOLDER/dependencies exists
 *   --in    installs there and leaves it behind, instead of in a temporary folder
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startRegistry } from './local-registry.mjs'

const { values, positionals } = parseArgs({ options: { in: { type: 'string' } }, allowPositionals: true })
const [packed] = positionals
if (packed === undefined || !existsSync(packed)) {
  console.error('usage: node scripts/try-package.mjs FOLDER    the folder that `npm run package` filled')
  process.exit(2)
}
const folder = values.in ?? mkdtempSync(join(tmpdir(), 'fovea-package-'))
mkdirSync(folder, { recursive: true })
if (readdirSync(folder).length > 0) fail(`'${folder}' is not empty`)

// Nothing of this machine may help: no addon of a checkout, no settings of npm's.
const { FOVEA_ONEDNN_ADDON: _, ...environment } = process.env
const env = Object.fromEntries(Object.entries(environment).filter(([name]) => !/^npm_/i.test(name)))

const dependencies = join(packed, 'dependencies')
const upstream = existsSync(dependencies) ? undefined : (await run('npm', ['config', 'get', 'registry'])).trim()
const registry = await startRegistry([packed, dependencies], upstream)
await run('npm', ['install', 'fovea-cli', `--registry=${registry.url}`, '--no-audit', '--no-fund', '--loglevel=error'])
registry.close()

const { engine, detail, source, path } = JSON.parse(await run('npx', ['fovea', 'setup', '--json']))
if (engine !== 'onednn' || !source.startsWith('fovea-onednn-'))
  fail(`the engine is ${engine}, from ${source} (${path})`)
console.log(`engine: ${detail}, from ${source}`)

const training = ['--data', 'fashion-mnist', '--limit', '1000', '--epochs', '1', '--engine', 'onednn', '--json']
const printed = await run('npx', ['fovea', 'train', 'resnet8', ...training, '--out', 'run'])
const events = printed
  .trim()
  .split('\n')
  .map(line => JSON.parse(line))
const epoch = events.find(({ event }) => event === 'epoch')
const done = events.find(({ event }) => event === 'done')
if (epoch === undefined || done === undefined) fail(`the training did not end:\n${printed}`)
console.log(`trained resnet8 at ${Math.round(epoch.imagesPerSecond)} images/s; held-out accuracy ${done.testAccuracy}`)
if (values.in === undefined) rmSync(folder, { recursive: true })

/** @returns {Promise<string>} what the command prints */
function run(command, args) {
  // On Windows, npm is a batch file, which only a shell starts.
  const child = spawn(command, args, {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  })
  let printed = ''
  child.stdout.on('data', text => {
    printed += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code =>
      code === 0 ? resolve(printed) : fail(`\`${command} ${args.join(' ')}\` failed: ${code}`),
    )
  })
}

function fail(text) {
  console.error(`try-package: ${text}`)
  process.exit(1)
}
