/** @file The Debian releases that the native engine is made for: where this machine gets them from, and single packages of them. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { outputOf } from '../packages/fovea-onednn/scripts/toolchain.mjs'

/** By their names: 12 with oneDNN 2.6, 13 with oneDNN 3.7. */
export const releases = ['bookworm', 'trixie']

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** The release that this machine runs; undefined where it is no Debian. */
export const ownRelease = () => {
  const path = '/etc/os-release'
  const fields = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const field = name => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(fields)?.[1]
  return field('ID') === 'debian' ? field('VERSION_CODENAME') : undefined
}

/** The address that apt gets this machine's release from, with every other release beside it; undefined where there is none. */
export function debianMirror() {
  const targets = outputOf('apt-get', [
    'indextargets',
    '--format',
    '$(RELEASE) $(COMPONENT) $(REPO_URI)',
    'Created-By: Packages',
  ])
  const own = targets
    .split('\n')
    .map(line => line.split(' '))
    .filter(([release, component]) => release === ownRelease() && component === 'main')
  // Others than Debian name their repositories after its releases too; a mirror's address ends in debian.
  return own.map(([, , address]) => address).find(address => /\/debian\/?$/.test(address))
}

/**
 * Unpacks a package of a release into a folder, without installing it and without touching apt's own lists.
 * @returns {string | undefined} what hinders it, in one line: not Debian, or offline
 */
export function unpackPackage({ release, name, folder }) {
  const mirror = debianMirror()
  if (mirror === undefined) return 'this machine gets no packages from a mirror of Debian'
  const state = `${folder}.apt`
  rmSync(state, { recursive: true, force: true })
  for (const path of ['lists/partial', 'cache/archives/partial', 'unpacked'])
    mkdirSync(join(state, path), { recursive: true })
  writeFileSync(join(state, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} ${release} main\n`)
  const settings = {
    'Dir::State::lists': join(state, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(state, 'cache'),
    'Dir::Etc::sourcelist': join(state, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '0',
    'Acquire::http::Timeout': '20',
    // Its user may not enter the folder.
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  const run = (command, args) => spawnSync(command, args, { cwd: state, stdio: 'ignore' }).status === 0
  try {
    if (!run('apt-get', [...options, 'update', '--error-on=any']))
      return `no packages of ${release} can be had from the mirror of Debian (offline?)`
    if (!run('apt-get', [...options, 'download', name]))
      return `${name} of ${release} cannot be had from the mirror of Debian`
    const file = readdirSync(state).find(name => name.endsWith('.deb'))
    if (!run('dpkg', ['-x', file, 'unpacked'])) return `${file} cannot be unpacked`
    mkdirSync(dirname(folder), { recursive: true })
    renameSync(join(state, 'unpacked'), folder)
    return undefined
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
}
