/**
 * @file A whole Debian of its own in a folder, and commands that run in it. All mounts are made in a namespace that ends with
 * the command, so none is ever left and the folder can be removed like any other. Linux, as root.
 */
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isRoot, outputOf } from '../packages/fovea-onednn/scripts/toolchain.mjs'
import { debianMirror } from './debian.mjs'

const marker = 'made-by-fovea'

/** Why no Debian can be made here, in one line; undefined where it can. */
export function cannotMakeDebian(mirror = debianMirror()) {
  if (process.platform !== 'linux' || !isRoot()) return 'making a fresh Debian needs root on Linux'
  if (spawnSync('debootstrap', ['--version'], { stdio: 'ignore' }).error)
    return 'no debootstrap: apt-get install debootstrap'
  if (mirror === undefined) return 'this machine gets no packages from a mirror of Debian: name one with --mirror URL'
  const release = `${mirror.replace(/\/$/, '')}/dists/stable/Release`
  const folder = mkdtempSync(join(tmpdir(), 'fovea-mirror-'))
  const probe = spawnSync('/usr/lib/apt/apt-helper', ['download-file', release, join(folder, 'Release')], {
    stdio: 'ignore',
  })
  rmSync(folder, { recursive: true })
  return probe.error || probe.status === 0 ? undefined : `the mirror of Debian cannot be reached: ${mirror}`
}

/**
 * Makes a Debian in an empty folder, with apt's lists, and a user `tester`. One that was made there before is taken as it is.
 * @param {{folder: string, release: string, mirror: string, log: number}} of the log is a file descriptor
 * @throws Error where the folder holds something else, or debootstrap fails
 */
export async function makeDebian({ folder, release, mirror, log }) {
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o755) // A temporary folder is its owner's alone, and this one becomes the root of all users.
  const marked = join(folder, marker)
  if (existsSync(marked) && readFileSync(marked, 'utf8') === release) return
  if (readdirSync(folder).length > 0)
    throw new Error(`'${folder}' is not empty, and holds no ${release} that was made by this script`)
  const include = '--include=ca-certificates'
  const made = await finish(
    spawn('debootstrap', ['--variant=minbase', include, release, folder, mirror], { stdio: ['ignore', log, log] }),
  )
  if (made !== 0) throw new Error(`debootstrap failed (${made})`)
  // What this machine needs to reach the network.
  const acquire = outputOf('apt-config', ['dump', 'Acquire'])
    .split('\n')
    .filter(line => /^Acquire::https?::Proxy/.test(line))
  writeFileSync(join(folder, 'etc/apt/apt.conf.d/proxy'), `${acquire.join('\n')}\n`)
  for (const file of ['/etc/resolv.conf', '/etc/hosts', process.env.NODE_EXTRA_CA_CERTS]) {
    if (!file || !existsSync(file)) continue
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    copyFileSync(file, join(folder, file))
  }
  const prepared = 'apt-get update -qq && useradd --create-home --shell /bin/bash tester'
  if ((await runInDebian({ folder, command: prepared, log })) !== 0)
    throw new Error(`\`${prepared}\` failed in the new ${release}`)
  writeFileSync(marked, release)
}

/**
 * Runs a shell's command in a Debian, in the user's home. Everything it started ends with it.
 * @param {{folder: string, command: string, user?: 'root' | 'tester', log: number, signal?: AbortSignal}} of the log is a file
 *   descriptor; the signal ends all of it at once
 * @returns {Promise<number | null>} its exit status
 */
export function runInDebian({ folder, command, user = 'root', log, signal }) {
  const [program, ...args] = inDebian({ folder, user, args: ['bash', '-c', `cd && ${command}`] })
  return finish(spawn(program, args, { stdio: ['ignore', log, log], signal, killSignal: 'SIGKILL' }))
}

/**
 * What to start so that a program runs in a Debian, with no more of this machine's environment than it takes to reach the network.
 * @param {{folder: string, user?: 'root' | 'tester', args: string[]}} of the program with its arguments
 * @returns {string[]}
 */
export function inDebian({ folder, user = 'root', args }) {
  const passed = ['NODE_EXTRA_CA_CERTS', 'http_proxy', 'https_proxy', 'no_proxy', 'OMP_NUM_THREADS']
  const environment = {
    HOME: user === 'root' ? '/root' : `/home/${user}`,
    USER: user,
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    DEBIAN_FRONTEND: 'noninteractive',
    npm_config_registry: outputOf('npm', ['config', 'get', 'registry']),
    ...Object.fromEntries(passed.flatMap(name => (process.env[name] ? [[name, process.env[name]]] : []))),
  }
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  // The shell stays, as the first process of its namespace, and takes the leave of orphans.
  const script = `mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys" || exit 125
    chroot --userspec=${user} "$0" env -i "$@"; exit $?`
  const namespace = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child']
  return ['unshare', ...namespace, 'sh', '-c', script, folder, ...variables, ...args]
}

/** @throws Error where anything is mounted below the folder: then nothing is removed */
export function removeDebian(folder) {
  const place = realpathSync(folder)
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[4] ?? '')
  const mounted = mounts.find(path => path === place || path.startsWith(`${place}/`))
  if (mounted !== undefined) throw new Error(`'${mounted}' is mounted, so '${folder}' is not removed: unmount it first`)
  rmSync(folder, { recursive: true, force: true })
}

const finish = child =>
  new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
