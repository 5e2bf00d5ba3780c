#!/usr/bin/env node
/**
 * @file Tries the last commit of this checkout on a fresh Debian, as its users meet it: what the README says is installed
 * there, then `npm start` and `npm test` run as a plain user without root and as root, and the packages that are made there
 * are installed and tried. Prints a table; fails when any of it failed. 40 minutes on two cores. As root, on Linux.
 * usage: node scripts/try-on.mjs trixie|bookworm [--folder F] [--keep] [--mirror URL]
 *   --folder  where it is made, instead of in a temporary folder; one that was kept there is used again
 *   --keep    leaves it behind
 *   --mirror  of Debian, instead of the one that this machine's apt uses
 */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { outputOf } from '../packages/fovea-onednn/scripts/toolchain.mjs'
import { debianMirror, releases } from './debian.mjs'
import { cannotMakeDebian, makeDebian, removeDebian, runInDebian } from './debian-root.mjs'
import { skip } from './skip.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values, positionals } = parseArgs({
  options: { folder: { type: 'string' }, keep: { type: 'boolean', default: false }, mirror: { type: 'string' } },
  allowPositionals: true,
})
const [release] = positionals
if (!releases.includes(release))
  stop(2, `usage: node scripts/try-on.mjs ${releases.join('|')} [--folder F] [--keep] [--mirror URL]`)
const mirror = values.mirror ?? debianMirror()
const hindrance = cannotMakeDebian(mirror)
if (hindrance !== undefined) {
  // Among other checks it is left out; who asks for it is told that it failed.
  if (process.send === undefined) stop(1, hindrance)
  await skip(hindrance)
  process.exit(0)
}
const commit = outputOf('git', ['-C', root, 'rev-parse', 'HEAD'])
if (commit === '') stop(1, 'this is no checkout of git: there is no commit to try')
if (outputOf('git', ['-C', root, 'status', '--porcelain']) !== '') console.log('what is not committed is not tried')

const accuracyWanted = 89
const started = text => {
  const accuracy = Number(/^held-out accuracy ([\d.]+) %/m.exec(text)?.[1])
  const engine = /^engine: (.*)/m.exec(text)?.[1] ?? 'no engine'
  return { ok: accuracy >= accuracyWanted && engine.startsWith('onednn'), result: `${accuracy} %, ${engine}` }
}
const tested = text => {
  const [line, failed] = [...text.matchAll(/^\d+ passed, (\d+) failed$/gm)].at(-1) ?? ['did not end']
  return { ok: failed === '0', result: line }
}
const trained = text => {
  const line = /^trained .*/m.exec(text)?.[0]
  return { ok: line !== undefined, result: line ?? 'did not train' }
}
// The plain user comes first: what root installs would help.
const steps = [
  { name: 'npm start', user: 'tester', command: 'cd fovea && npm start', judge: started },
  { name: 'npm test', user: 'tester', command: 'cd fovea && npm test', judge: tested },
  { name: 'npm start', user: 'root', command: 'cd fovea && npm start', judge: started },
  { name: 'npm test', user: 'root', command: 'cd fovea && npm test', judge: tested },
  {
    name: 'npm run package',
    user: 'root',
    // The published files are made on the oldest release, for all of them.
    command: `rm -rf /srv/packages && cd fovea && npm run package -- --to /srv/packages ${release === releases[0] ? '' : '--local'}`,
    judge: () => ({ ok: true, result: 'made' }),
  },
  {
    name: 'try-package',
    user: 'tester',
    command: 'node fovea/scripts/try-package.mjs /srv/packages',
    judge: trained,
  },
]

const logs = join(root, 'build/try-on', release)
const folder = resolve(values.folder ?? mkdtempSync(join(tmpdir(), `fovea-${release}-`)))
const table = []
// Ctrl-C ends the command that runs; the folder is removed all the same.
const interruption = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => interruption.abort())
try {
  rmSync(logs, { recursive: true, force: true })
  mkdirSync(logs, { recursive: true })
  console.log(`${release} in ${folder}, commit ${commit.slice(0, 10)}; logs in ${logs}`)
  await logged('debootstrap', log => makeDebian({ folder, release, mirror, log }))
  await install()
  for (const user of ['tester', 'root']) copyCheckout(user)
  for (const step of steps) table.push(await take(step))
} catch (error) {
  table.push({ name: error.message, user: '', ok: false, result: `see ${logs}`, minutes: '' })
} finally {
  if (values.keep) console.log(`kept: ${folder}`)
  else removeDebian(folder)
}
console.log(`\n| ${release} | as | | result | minutes |\n| --- | --- | --- | --- | ---: |`)
for (const { name, user, ok, result, minutes } of table) {
  console.log(`| ${name} | ${user} | ${ok ? 'passed' : 'FAILED'} | ${result} | ${minutes} |`)
}
process.exit(table.length === steps.length && table.every(({ ok }) => ok) ? 0 : 1)

/** What the README asks for: a C++ compiler and Node. A release whose Node is too old gets Node 20 from npm. */
async function install() {
  const apt = packages => `apt-get install -y -qq --no-install-recommends ${packages}`
  const own = release === 'bookworm' ? 'g++ git' : 'g++ git nodejs npm'
  await logged('install', async log => {
    // Where a Debian is used again, root's run left oneDNN for all.
    const command = `${apt(own)} && apt-get purge -y -qq --auto-remove libdnnl-dev`
    if ((await runInDebian({ folder, command, log })) !== 0) throw new Error(`\`${command}\` failed`)
    if (release !== 'bookworm') return
    const place = join(folder, 'opt/node')
    mkdirSync(place, { recursive: true })
    const npm = ['install', '--prefix', place, '--no-audit', '--no-fund', '--loglevel=error', 'node@20', 'npm@10']
    if (spawnSync('npm', npm, { stdio: ['ignore', log, log] }).status !== 0)
      throw new Error(`\`npm ${npm.join(' ')}\` failed`)
    const links = 'ln -sf /opt/node/node_modules/.bin/* /usr/local/bin/'
    if ((await runInDebian({ folder, command: links, log })) !== 0) throw new Error(`\`${links}\` failed`)
  })
}

/** A clean clone in the user's home, and the data that tests look for beside it. */
function copyCheckout(user) {
  const home = join(folder, user === 'root' ? 'root' : `home/${user}`)
  const clone = join(home, 'fovea')
  rmSync(clone, { recursive: true, force: true })
  const git = (...args) => {
    const { status, stderr } = spawnSync('git', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`\`git ${args.join(' ')}\` failed: ${stderr.trim()}`)
  }
  git('clone', '--quiet', '--no-hardlinks', '--no-checkout', root, clone)
  git('-C', clone, 'checkout', '--quiet', '--detach', commit)
  const shared = join(root, '../shared')
  const copy = join(home, 'shared')
  if (existsSync(shared) && !existsSync(copy)) cpSync(realpathSync(shared), copy, { recursive: true })
  const inside = user === 'root' ? '/root' : `/home/${user}`
  const owner = spawnSync('chroot', [folder, 'chown', '-R', `${user}:`, inside])
  if (owner.status !== 0) throw new Error(`the files of ${user} could not be given to ${user}`)
}

async function take({ name, user, command, judge }) {
  const start = Date.now()
  const { signal } = interruption
  const { path, status } = await logged(`${name} as ${user}`, log =>
    runInDebian({ folder, command, user, log, signal }),
  )
  const text = readFileSync(path, 'utf8')
  const { ok, result } = judge(text)
  const row = { name, user, ok: ok && status === 0, result, minutes: ((Date.now() - start) / 60_000).toFixed(1) }
  if (!row.ok) console.log(text.trimEnd().split('\n').slice(-40).join('\n'))
  console.log(
    `${row.ok ? ' ✓' : ' ✗'} ${name} as ${user}: ${result} (${row.minutes} minutes${status === 0 ? '' : `, status ${status}`})`,
  )
  return row
}

/** Gives a task a file for what it prints. */
async function logged(name, task) {
  const path = join(logs, `${name.replaceAll(' ', '-')}.log`)
  const log = openSync(path, 'w')
  try {
    return { path, status: await task(log) }
  } finally {
    closeSync(log)
  }
}

function stop(code, text) {
  console.error(`try-on: ${text}`)
  process.exit(code)
}
