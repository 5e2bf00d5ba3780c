/**
 * @file Where the native addon is looked for: a build made on this machine, then the package that is published for its
 * platform. What to say, and what to type, when there is none.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { familySync } from 'detect-libc'
import { EngineError } from 'fovea/engine'
import type { Addon } from './addon.js'
import { interfaceHash } from './interface.js'

/** Where an addon is from. */
export interface AddonOrigin {
  /** `FOVEA_ONEDNN_ADDON`, `local build`, or a package's name. */
  readonly source: string
  readonly path: string
  /** Those that come first and are there, but do not load or are of another version, each with the reason. */
  readonly passedOver: readonly string[]
}

/** There is no addon, or none that loads. */
export class NoAddonError extends EngineError {
  override name = 'NoAddonError'
  constructor(
    readonly problem: string,
    /** What to type. */
    readonly command: string,
  ) {
    super(`${problem}: run \`${command}\``)
  }
}

/** A place that may hold an addon. */
export interface AddonPlace {
  readonly source: string
  /** The file; undefined where a package is not installed. */
  path(): string | undefined
  load(): unknown
}

const require = createRequire(import.meta.url)
const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The prebuilt addons: a platform has a row when its package is made and tried. Literal requires, so that bundlers see them. */
export const prebuilt: Readonly<Record<string, Omit<AddonPlace, 'source'>>> = {
  'fovea-onednn-linux-x64': {
    path: () => resolved(() => require.resolve('fovea-onednn-linux-x64')),
    load: () => require('fovea-onednn-linux-x64'),
  },
}

/** The name that a package for this machine has, whether there is one or not. */
function packageForThisMachine(): string {
  const musl = process.platform === 'linux' && familySync() === 'musl' ? 'musl' : ''
  return `fovea-onednn-${process.platform}${musl}-${process.arch}`
}

/** In the order in which they are tried. */
function usualPlaces(): AddonPlace[] {
  const built = join(root, 'build/fovea_onednn.node')
  const name = packageForThisMachine()
  return [
    { source: 'local build', path: () => built, load: () => require(built) },
    ...(name in prebuilt ? [{ source: name, ...prebuilt[name] }] : []),
  ]
}

/**
 * Turns at a barrier before a thread of libgomp sleeps: about 50 µs, as a turn takes AMD's processors half as long as Intel's. Its default
 * is milliseconds. With fewer, threads sleep within a step on one image; with more, two trainings at once wait for each other
 * (docs/speed-amx.md).
 */
const spins = (): string => (cpus()[0]?.model.startsWith('AMD') ? '2000' : '1000')

/**
 * Threads that wait for each other give their core away soon, unless the environment says otherwise: where other work has the core
 * that one of them needs, the others would spin for its whole time slice. libgomp reads it when it is loaded; in a worker of Node's
 * the environment is a copy, which it does not see.
 */
function shareCores(): void {
  if (process.env['OMP_WAIT_POLICY'] === undefined) process.env['GOMP_SPINCOUNT'] ??= spins()
}

/**
 * The addon that FOVEA_ONEDNN_ADDON names, else the first that loads.
 * @throws EngineError where the named one does not load; NoAddonError where none does
 */
export function findAddon(places: readonly AddonPlace[] = usualPlaces()): AddonOrigin & { readonly addon: Addon } {
  shareCores()
  const named = process.env['FOVEA_ONEDNN_ADDON']
  if (named) return loadNamed(resolve(named))
  const passedOver: string[] = []
  for (const { source, path: find, load } of places) {
    const path = find()
    if (path === undefined || !existsSync(path)) continue
    try {
      const addon = load()
      if (isOfThisVersion(addon)) return { addon, source, path, passedOver }
      passedOver.push(`${source} is of another version of Fovea`)
    } catch (error) {
      passedOver.push(`${source} does not load: ${messageOf(error)}`)
    }
  }
  throw noAddon(passedOver)
}

function loadNamed(path: string): AddonOrigin & { readonly addon: Addon } {
  const what = `the addon '${path}' that FOVEA_ONEDNN_ADDON names`
  let addon: unknown
  try {
    addon = require(path)
  } catch (error) {
    throw new EngineError(`${what} does not load: ${existsSync(path) ? messageOf(error) : 'there is no such file'}`)
  }
  if (!isOfThisVersion(addon)) {
    throw new EngineError(`${what} is of another version of Fovea: build it again, or unset FOVEA_ONEDNN_ADDON`)
  }
  return { addon, source: 'FOVEA_ONEDNN_ADDON', path, passedOver: [] }
}

/** Whether it was built with this table of kernels; another would take the numbers of a plan for something else. */
const isOfThisVersion = (addon: unknown): addon is Addon =>
  (addon as Partial<Addon>).info?.().interface === interfaceHash

function noAddon(passedOver: readonly string[]): NoAddonError {
  const what = 'the native engine (oneDNN)'
  const name = packageForThisMachine()
  if (passedOver.length > 0) return new NoAddonError(`${what} does not load (${passedOver.join('; ')})`, buildCommand())
  if (!isInstalled()) return new NoAddonError(`${what} is not built`, buildCommand())
  if (name in prebuilt) {
    const reason = 'left out by --omit=optional, or by a lockfile from another system'
    return new NoAddonError(
      `${what} is not installed: its package ${name} is missing (${reason})`,
      installCommand(name),
    )
  }
  return new NoAddonError(`${what} has no package for ${name.replace('fovea-onednn-', '')}`, buildCommand())
}

/** Whether this is a package that npm put in its place, and no checkout. */
const isInstalled = (): boolean => root.split(/[\\/]/).includes('node_modules')

/** What builds the addon on this machine, from the folder that the user is in. */
function buildCommand(): string {
  if (isInstalled()) return existsSync(join(root, '../fovea-cli')) ? 'npx fovea setup' : `node ${quoted(buildScript)}`
  const checkout = join(root, '../..')
  return relative('.', checkout) === '' ? 'npm run setup' : `npm --prefix ${quoted(checkout)} run setup`
}

/** A path as one word of a POSIX shell, relative to the folder that the user is in where that is shorter. */
function quoted(path: string): string {
  const here = relative('.', path)
  const shorter = here.length < path.length ? here : path
  return /^[\w./@+-]+$/.test(shorter) ? shorter : `'${shorter.replaceAll("'", "'\\''")}'`
}

/** Builds the addon; started by `fovea setup` and `npm run setup`. */
export const buildScript: string = join(root, 'scripts/build.mjs')

function installCommand(name: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  // A folder that npm installs into for the whole machine has no package.json of its own.
  const project = root.slice(0, root.search(/[\\/]node_modules[\\/]/))
  const where = existsSync(join(project, 'package.json')) ? '--save-optional' : '--global'
  return `npm install ${where} ${name}@${version}`
}

function resolved(find: () => string): string | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}

/** The first line; what follows is the stack of requires. */
const messageOf = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0] : String(error))
