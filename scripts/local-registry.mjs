/**
 * @file A registry of npm packages on this machine, from folders of packed files: `npm install` meets packages before they are
 * published, and needs no network. Uses Node and `tar` only.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

/**
 * @param {string[]} folders with .tgz files, as `npm pack` makes them
 * @param {string} [upstream] the registry that answers for all other packages; without one they do not exist
 * @returns {Promise<{url: string, close(): void}>}
 */
export async function startRegistry(folders, upstream) {
  const packages = new Map()
  const files = folders.filter(folder => existsSync(folder)).flatMap(packedFiles)
  const server = createServer(({ url }, response) => {
    const path = decodeURIComponent(url.slice(1))
    const file = files[Number(/^files\/(\d+)\.tgz$/.exec(path)?.[1] ?? Number.NaN)]
    if (file !== undefined) return response.end(readFileSync(file))
    if (packages.has(path)) return response.end(JSON.stringify(packages.get(path)))
    if (upstream === undefined) return response.writeHead(404).end('{}')
    response.writeHead(302, { location: new URL(url.slice(1), upstream).href }).end()
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const registry = `http://127.0.0.1:${server.address().port}/`
  for (const [index, file] of files.entries()) add(packages, file, `${registry}files/${index}.tgz`)
  return { url: registry, close: () => server.close() }
}

const packedFiles = folder =>
  readdirSync(folder)
    .filter(name => name.endsWith('.tgz'))
    .map(name => join(folder, name))

/** Adds a version to what a registry tells of a package. */
function add(packages, file, tarball) {
  const manifest = JSON.parse(execFileSync('tar', ['-xzOf', file, 'package/package.json'], { encoding: 'utf8' }))
  const { name, version } = manifest
  const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
  const known = packages.get(name) ?? { name, 'dist-tags': {}, versions: {} }
  known['dist-tags'].latest = version
  known.versions[version] = { ...manifest, dist: { tarball, integrity } }
  packages.set(name, known)
}
