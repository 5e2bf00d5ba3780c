/** @file Claims about the engine that is taken when none is asked for: which packages are tried where, and what is said. */
import { expect, test } from 'vitest'
import { bestEngine, type Surroundings } from '../../src/engines/default.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'

type Modules = Readonly<Record<string, Awaited<ReturnType<Surroundings['load']>>>>

/** What comes of it with these packages. */
async function chosen(inPage: boolean, packages: Modules) {
  const tried: string[] = []
  const warnings: string[] = []
  const { description } = await bestEngine({
    inPage,
    async load(name) {
      tried.push(name)
      if (packages[name] === undefined) throw new Error(`no ${name} here\nRequire stack: …`)
      return packages[name]
    },
    warn: text => warnings.push(text),
  })
  return { description, tried, warnings }
}

const wasm = { loadWasmEngine: async () => ({ ...referenceEngine(), name: 'wasm', description: 'wasm' }) }
const onednn = { onednnEngine: () => ({ ...referenceEngine(), name: 'onednn', description: 'onednn' }) }

test('a page takes WebAssembly and misses nothing', async () => {
  const packages = { 'fovea-onednn': onednn, 'fovea-wasm': wasm }
  expect(await chosen(true, packages)).toEqual({ description: 'wasm', tried: ['fovea-wasm'], warnings: [] })
})

test('a page that does not find it by its name is told what to pass', async () => {
  const why = "no fovea-wasm here: pass `engine: await loadWasmEngine()` from 'fovea-wasm'"
  const { description, tried, warnings } = await chosen(true, {})
  expect(tried).toEqual(['fovea-wasm'])
  expect(warnings).toEqual([`fovea: running on the slow reference engine, because ${why}`])
  expect(description).toBe(`${referenceEngine().description} (no WebAssembly: ${why})`)
})

test('a page whose WebAssembly fails is told why, and not to pass what fails', async () => {
  const failing = { loadWasmEngine: () => Promise.reject(new Error('the server answers 404')) }
  const { warnings } = await chosen(true, { 'fovea-wasm': failing })
  expect(warnings).toEqual(['fovea: running on the slow reference engine, because the server answers 404'])
})

test('elsewhere the native engine comes first', async () => {
  expect(await chosen(false, { 'fovea-onednn': onednn, 'fovea-wasm': wasm })).toEqual({
    description: 'onednn',
    tried: ['fovea-onednn'],
    warnings: [],
  })
  expect(await chosen(false, { 'fovea-wasm': wasm })).toEqual({
    description: 'wasm (no native engine: no fovea-onednn here)',
    tried: ['fovea-onednn', 'fovea-wasm'],
    warnings: ['fovea: running in WebAssembly, slower than the native engine, because no fovea-onednn here'],
  })
  expect((await chosen(false, {})).warnings).toEqual([
    'fovea: running on the slow reference engine, because no fovea-onednn here, and no fovea-wasm here',
  ])
})
