/** @file Claims about what is given to the engine in WebAssembly in plain JavaScript, and about the files that it ships. */
import { readFileSync, statSync } from 'node:fs'
import { wasmKernelHeaders } from 'fovea/engine'
import { describe, expect, test } from 'vitest'
import { expectRefusals, functionsOf, options } from '../../fovea/test/surface/mistakes.js'
import { refused } from '../../fovea/test/surface/refused.js'
import { filesHashes, headersOf, sourcesHash } from '../scripts/sources.mjs'
import * as wasm from '../src/index.js'
import { interfaceHash } from '../src/interface.js'
import { hasRelaxedSimd } from '../src/module.js'

const { loadWasmEngine, wasmEngine } = wasm

test('the functions', () => expect(functionsOf(wasm)).toEqual(['loadWasmEngine', 'wasmEngine']))

describe('options', () => {
  test.each([wasmEngine, loadWasmEngine])('whatever is given is refused in words', engine =>
    expectRefusals(engine, [options()]),
  )

  test.each<[object, string]>([
    [{ thread: 2 }, "thread: unknown option; did you mean 'threads'?"],
    [{ threads: 65 }, 'threads: expected a whole number from 1 to 64, got 65'],
    [{ simd: 'plane' }, "simd: unknown 'plane'; did you mean 'plain'?"],
  ])('%o', (given, message) => refused(() => wasmEngine(given), message))

  test.skipIf(hasRelaxedSimd())('relaxed SIMD where there is none is refused, with what to take', () => {
    expect(() => wasmEngine({ simd: 'relaxed' })).toThrow(
      "there is no relaxed SIMD here (Node has it from version 21 on): take simd 'plain'",
    )
  })
})

const file = (name: string): URL => new URL(`../wasm/${name}`, import.meta.url)

test('the built files are of these sources: `npm run build:wasm` makes them', () => {
  expect(JSON.parse(readFileSync(file('sources.json'), 'utf8'))).toEqual({
    sources: sourcesHash(headersOf(wasmKernelHeaders, interfaceHash)),
    files: filesHashes(),
  })
})

test('they take less than 2 MB together', () => {
  const bytes = ['fovea.wasm', 'fovea-relaxed.wasm'].map(name => statSync(file(name)).size)
  expect(bytes[0] + bytes[1]).toBeLessThan(2_000_000)
})
