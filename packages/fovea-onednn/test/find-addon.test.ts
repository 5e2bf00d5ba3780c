/** @file Claims about where the addon is looked for, what is said when there is none, and the packages that hold prebuilt ones. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { type AddonPlace, findAddon, NoAddonError, prebuilt } from '../src/find-addon.js'
import { interfaceHash } from '../src/interface.js'

const here = import.meta.filename
/** A place with a file; it holds an addon unless it fails. */
const place = (
  source: string,
  { path = here, fails, version = interfaceHash }: { path?: string; fails?: string; version?: string } = {},
): AddonPlace => ({
  source,
  path: () => path,
  load() {
    if (fails) throw new Error(`${fails}\nRequire stack: …`)
    return { name: source, info: () => ({ interface: version }) }
  },
})

afterEach(() => vi.unstubAllEnvs())

test('the first addon that is there is taken', () => {
  vi.stubEnv('FOVEA_ONEDNN_ADDON', '')
  const { addon, ...found } = findAddon([
    place('absent', { path: join(here, 'nothing') }),
    place('second'),
    place('third'),
  ])
  expect(addon).toMatchObject({ name: 'second' })
  expect(found).toEqual({ source: 'second', path: here, passedOver: [] })
})

test('threads that wait sleep soon, unless the environment says how they wait', () => {
  const spinsWhereSet = (variables: Readonly<Record<string, string | undefined>>) => {
    for (const name of ['GOMP_SPINCOUNT', 'OMP_WAIT_POLICY']) vi.stubEnv(name, variables[name])
    let spins: string | undefined
    const { load, ...first } = place('first')
    findAddon([
      {
        ...first,
        load() {
          spins = process.env['GOMP_SPINCOUNT']
          return load()
        },
      },
    ])
    return spins
  }
  vi.stubEnv('FOVEA_ONEDNN_ADDON', '')
  expect(spinsWhereSet({})).toMatch(/^(1000|2000)$/)
  expect(spinsWhereSet({ GOMP_SPINCOUNT: '5' })).toBe('5')
  expect(spinsWhereSet({ OMP_WAIT_POLICY: 'active' })).toBeUndefined()
})

test('one that does not load is passed over, and told of', () => {
  vi.stubEnv('FOVEA_ONEDNN_ADDON', '')
  const { source, passedOver } = findAddon([place('local build', { fails: 'libdnnl.so.2 is gone' }), place('package')])
  expect(source).toBe('package')
  expect(passedOver).toEqual(['local build does not load: libdnnl.so.2 is gone'])
})

test('one that was built with another table of kernels is told by name, with what to type', () => {
  vi.stubEnv('FOVEA_ONEDNN_ADDON', '')
  const old = place('local build', { version: 'of yesterday' })
  const older: AddonPlace = { ...old, load: () => ({ Plan: class {} }) }
  for (const stale of [old, older]) {
    const { source, passedOver } = findAddon([stale, place('package')])
    expect({ source, passedOver }).toEqual({
      source: 'package',
      passedOver: ['local build is of another version of Fovea'],
    })
    expect(() => findAddon([stale])).toThrow(
      'the native engine (oneDNN) does not load (local build is of another version of Fovea): run `npm run setup`',
    )
  }
})

const built = join(import.meta.dirname, '../build/fovea_onednn.node')

test.runIf(existsSync(built))('the addon that is built here is of the table of kernels as it stands', () => {
  expect(createRequire(import.meta.url)(built).info().interface).toBe(interfaceHash)
})

test('when none is there or none loads, one message says what to type', () => {
  vi.stubEnv('FOVEA_ONEDNN_ADDON', '')
  expect(() => findAddon([])).toThrow('the native engine (oneDNN) is not built: run `npm run setup`')
  expect(() => findAddon([place('local build', { fails: 'bad ELF header' })])).toThrow(
    new NoAddonError(
      'the native engine (oneDNN) does not load (local build does not load: bad ELF header)',
      'npm run setup',
    ),
  )
})

test('what it says to type works from the folder that the user is in', () => {
  vi.stubEnv('FOVEA_ONEDNN_ADDON', '')
  const checkout = join(import.meta.dirname, '../../..')
  const cwd = vi.spyOn(process, 'cwd')
  onTestFinished(() => cwd.mockRestore())
  for (const [folder, command] of [
    [checkout, 'npm run setup'],
    [join(checkout, 'packages/fovea'), 'npm --prefix ../.. run setup'],
  ]) {
    cwd.mockReturnValue(folder)
    expect(() => findAddon([])).toThrow(`is not built: run \`${command}\``)
  }
})

test('the one that FOVEA_ONEDNN_ADDON names is the only one that is looked for', () => {
  vi.stubEnv('FOVEA_ONEDNN_ADDON', 'no-such.node')
  expect(() => findAddon([place('another')])).toThrow(/no-such\.node' that FOVEA_ONEDNN_ADDON names .* no such file/)
})

const packages = join(import.meta.dirname, '../..')
const manifest = (name: string) => JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8'))

test('each prebuilt package is an optional dependency of the same version, for one platform', () => {
  const { version, optionalDependencies } = manifest('fovea-onednn')
  expect(optionalDependencies).toEqual(Object.fromEntries(Object.keys(prebuilt).map(name => [name, version])))
  for (const name of Object.keys(prebuilt)) {
    const { version: own, os, cpu, libc } = manifest(name)
    expect({ own, name }).toEqual({ own: version, name: `fovea-onednn-${os}-${cpu}` })
    expect(libc).toEqual(os[0] === 'linux' ? ['glibc'] : undefined)
  }
})

test('all packages have one version and ask for one another in exactly that', () => {
  const { version } = manifest('fovea')
  for (const name of ['fovea', 'fovea-onednn', 'fovea-cli', ...Object.keys(prebuilt)]) {
    const { version: own, dependencies = {}, optionalDependencies = {} } = manifest(name)
    const wanted = Object.entries({ ...dependencies, ...optionalDependencies })
    const ours = wanted.filter(([dependency]) => /^fovea(-|$)/.test(dependency)).map(([, range]) => range)
    expect([own, ...ours], name).toEqual(Array(1 + ours.length).fill(version))
  }
})
