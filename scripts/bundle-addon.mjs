/**
 * @file Fills the package of this platform: the addon that was built here, the libraries that it loads and that not every
 * machine with Node has, their licences, and where their sources are. Works on Debian and what descends from it: dpkg knows
 * which package a library is of.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Every machine that has Node has these; glibc must be that of the machine. */
const system = /^(linux-vdso|ld-linux|libc|libm|libdl|libpthread|libstdc\+\+|libgcc_s)[.-]/

/** What may be bundled, with the common licences that its copyright file refers to. THIRD-PARTY-NOTICES.md tells of each. */
const libraries = {
  'libdnnl.so': ['Apache-2.0'],
  'libgomp.so': ['GPL-3'],
  'libOpenCL.so': [],
}

/**
 * @param {{root: string, name: string, local: boolean}} of the checkout's folder, the package's name, and whether it need
 *   work on this machine only
 * @throws Error with what is wrong, in one line
 */
export function bundleAddon({ root, name, local }) {
  const addon = join(root, 'packages/fovea-onednn/build/fovea_onednn.node')
  if (!existsSync(addon)) throw new Error('the addon is not built: run `npm run setup`, which says why')
  const folder = join(root, 'packages', name)
  const loaded = librariesOf(addon)
  const build = join(folder, 'build')
  rmSync(build, { recursive: true, force: true })
  mkdirSync(join(build, 'licences'), { recursive: true })
  copyFileSync(addon, join(build, 'fovea_onednn.node'))
  for (const [soname, path] of loaded) copyFileSync(path, join(build, soname))
  if (!local) {
    const { config } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    checkRunPath(addon)
    for (const file of ['fovea_onednn.node', ...loaded.keys()]) checkSymbols(join(build, file), config)
  }
  writeLicences(loaded, join(build, 'licences'))
}

/** The name under which a library is loaded → its file, of those that have to be bundled. */
function librariesOf(addon) {
  const lines = output('ldd', [addon]).matchAll(/^\s*(\S+) => (\S+) \(0x/gm)
  const found = [...lines].map(([, soname, path]) => [soname, realpathSync(path)])
  const bundled = new Map(found.filter(([soname]) => !system.test(basename(soname))))
  for (const soname of bundled.keys()) {
    if (libraries[withoutVersion(soname)] === undefined) {
      throw new Error(`the addon loads ${soname}, whose licence is not known to scripts/bundle-addon.mjs`)
    }
  }
  return bundled
}

/** Built with oneDNN in a folder of its own, the addon would look for it there on every machine. */
function checkRunPath(addon) {
  const [, path] = /R(?:UN)?PATH.*\[(.*)\]/.exec(output('readelf', ['-d', addon])) ?? []
  if (path !== '$ORIGIN') {
    throw new Error(
      `the addon looks for libraries in '${path}': install oneDNN for the whole system, then run \`npm run setup\``,
    )
  }
}

/** What the package promises to need of the system at most (`config` in its package.json) holds for a file. */
function checkSymbols(file, promised) {
  const needed = output('objdump', ['-T', file]).matchAll(/\b(GLIBC|GLIBCXX)_([\d.]+)/g)
  for (const [symbol, library, version] of needed) {
    if (isNewer(version, promised[library])) {
      throw new Error(
        `${basename(file)} needs ${symbol}, but the package promises to work from ${library} ${promised[library]} on: build on Debian 12`,
      )
    }
  }
}

function isNewer(version, than) {
  const [a, b] = [version, than].map(text => text.split('.').map(Number))
  const at = a.findIndex((part, i) => part !== (b[i] ?? 0))
  return at >= 0 && a[at] > (b[at] ?? 0)
}

/** The copyright files of the libraries' packages, the common licences they refer to, and where the sources are. */
function writeLicences(loaded, folder) {
  const rows = [...loaded].map(([soname, path]) => {
    const owner = output('dpkg-query', ['-S', path]).split(':')[0]
    const fields = ['Version', 'source:Package', 'source:Version'].map(name => `\${${name}}`).join(' ')
    const [version, source, sourceVersion] = output('dpkg-query', ['-W', '-f', fields, owner]).split(' ')
    copyFileSync(`/usr/share/doc/${owner}/copyright`, join(folder, `${owner}.copyright`))
    for (const licence of libraries[withoutVersion(soname)]) {
      copyFileSync(`/usr/share/common-licenses/${licence}`, join(folder, licence))
    }
    const archive = `https://snapshot.debian.org/package/${source}/${encodeURIComponent(sourceVersion)}/`
    return `| \`${soname}\` | ${owner} ${version} | [${source} ${sourceVersion}](${archive}) | [${owner}.copyright](${owner}.copyright) |`
  })
  writeFileSync(
    join(folder, 'SOURCES.md'),
    `# Where the libraries in this package are from

Each is the file of Debian's binary package, unchanged. Its sources are Debian's source package of that version, which
\`apt-get source\` fetches too.

| library | Debian's package | sources | licence |
| --- | --- | --- | --- |
${rows.join('\n')}
`,
  )
}

/** `libdnnl.so.2` is `libdnnl.so`. */
const withoutVersion = soname => soname.replace(/\.so\..*$/, '.so')

/** @throws Error naming the command, where it fails */
function output(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 })
  } catch (error) {
    const reason = error.stderr?.trim().split('\n')[0] || error.message
    throw new Error(`\`${command} ${args.join(' ')}\` failed: ${reason}`)
  }
}
