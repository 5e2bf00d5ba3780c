/** @file Claims about which engine a command takes where the best one is not there. */
import { Command } from 'commander'
import { EngineError } from 'fovea'
import { beforeEach, expect, test, vi } from 'vitest'
import { setupCommand } from '../src/commands/setup.js'
import { askedOf, type EngineOptions, openEngine, withEngineOptions } from '../src/engines.js'
import type { Output } from '../src/output.js'

const damaged = vi.hoisted(() => ({ is: false }))
vi.mock('fovea-onednn', async original => ({
  ...(await original<object>()),
  onednnStatus: () => ({ available: false, detail: 'the addon is missing: run `npx fovea setup`', problem: 'missing' }),
}))
vi.mock('fovea-wasm', async original => {
  const real = await original<typeof import('fovea-wasm')>()
  return {
    ...real,
    wasmEngine: (options: object) => {
      if (damaged.is) throw new EngineError("'fovea.wasm' cannot be used: no such file")
      return real.wasmEngine(options)
    },
  }
})

const warnings: string[] = []
const output = { warn: (text: string) => void warnings.push(text) } as unknown as Output

beforeEach(() => {
  damaged.is = false
  warnings.length = 0
})

test('without the native engine it is WebAssembly, and a line says why', () => {
  expect(openEngine({ threads: 1 }, output).name).toBe('wasm')
  expect(warnings).toEqual([
    'running in WebAssembly, slower than the native engine, because the addon is missing: run `npx fovea setup`',
  ])
})

test('where the WebAssembly files do not load either, it is the reference engine, and a line says why', () => {
  damaged.is = true
  expect(openEngine({}, output).name).toBe('reference')
  expect(warnings).toEqual([
    'running on the reference engine, hundreds of times slower, because the addon is missing: run `npx fovea setup`, and ' +
      "'fovea.wasm' cannot be used: no such file",
  ])
})

test('an engine that was asked for is that or an error', () => {
  damaged.is = true
  expect(() => openEngine({ engine: 'wasm' }, output)).toThrow("'fovea.wasm' cannot be used: no such file")
  expect(() => openEngine({ engine: 'onednn' }, output)).toThrow('the addon is missing')
  expect(warnings).toEqual([])
})

test('--simd is of WebAssembly, and asks for it', async () => {
  const command = withEngineOptions(new Command('bench'))
  const asked = command.parse(['--simd', 'plain'], { from: 'user' }).opts<EngineOptions>()
  expect(asked).toEqual({ simd: 'plain', engine: 'wasm' })
  expect(askedOf(openEngine({ ...asked, threads: 1 }, output))).toEqual({ engine: 'wasm', threads: 1, simd: 'plain' })
  expect(() => openEngine({ engine: 'onednn', simd: 'plain' }, output)).toThrow('--simd is for --engine wasm')
})

test('set-up says so too', async () => {
  damaged.is = true
  vi.stubEnv('FOVEA_ONEDNN_ADDON', '/nowhere/fovea_onednn.node')
  const said: string[] = []
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation(text => said.push(String(text)) > 0)
  const setup = setupCommand().parseAsync(['node', 'setup', '--json'])
  await expect(setup).rejects.toThrow(
    /^only the reference engine is ready, hundreds of times slower: .*nowhere.*; 'fovea.wasm' cannot be used: no such file$/,
  )
  stdout.mockRestore()
  vi.unstubAllEnvs()
  expect(JSON.parse(said.join(''))).toMatchObject({ engine: 'reference' })
})
