/** @file Claims about weights in several files: each tensor is read from its file, and no file outside of the folder is. */
import { expect, test } from 'vitest'
import { openWeights } from '../../src/formats/registry.js'
import { encodeSafetensors } from '../../src/formats/safetensors.js'
import { shardsOf } from '../../src/formats/sharded.js'

const utf8 = new TextEncoder()
const index = (map: unknown): Uint8Array =>
  utf8.encode(JSON.stringify({ metadata: { total_size: 8 }, weight_map: map }))
const shard = (...names: string[]): Uint8Array => {
  const tensors = new Map(
    names.map((name, i) => [name, { dtype: 'uint8' as const, shape: [1], bytes: Uint8Array.of(i) }]),
  )
  return Buffer.concat(encodeSafetensors({ tensors, metadata: {} }))
}
const files: Readonly<Record<string, Uint8Array>> = { 'a.safetensors': shard('w', 'v'), 'b.safetensors': shard('x') }
const asked: string[] = []
const beside = (name: string): Uint8Array => {
  asked.push(name)
  return files[name] ?? index({ w: 'a.safetensors' })
}
const open = (map: unknown) => openWeights('model.safetensors.index.json', index(map), beside)

test('tensors come from their files, each of which is opened once', () => {
  asked.length = 0
  const { tensors, format } = open({ v: 'a.safetensors', w: 'a.safetensors', x: 'b.safetensors' })
  expect([...tensors].map(([name, { bytes }]) => [name, ...bytes])).toEqual([
    ['v', 1],
    ['w', 0],
    ['x', 0],
  ])
  expect([format, asked]).toEqual(['2 files', ['a.safetensors', 'b.safetensors']])
})

test.each([
  ['../a.safetensors', "'w' is in '../a.safetensors', which is no file in the same folder"],
  ['/etc/passwd', 'which is no file in the same folder'],
  ['..', 'which is no file in the same folder'],
  ['C:a', 'which is no file in the same folder'],
  ['b.safetensors', "'w' is not in 'b.safetensors'"],
  ['another.index.json', 'is JSON, not a file of weights'],
])('a shard %s is refused', (place, message) => {
  asked.length = 0
  expect(() => open({ w: place })).toThrow(message)
  if (message.includes('same folder')) expect(asked).toEqual([])
})

test('the files that an index names are known before any is read', () => {
  expect(shardsOf('x', index({ v: 'a', w: 'b', x: 'a' }))).toEqual(['a', 'b'])
  expect(() => shardsOf('x', utf8.encode('{"weight_map": {"w": "a", "w": "b"}}'))).toThrow("has the key 'w' twice")
  expect(() => shardsOf('x', index({ w: '../a' }))).toThrow("'x' is no index of weights: 'w' is in '../a'")
})

test('an index that is none is refused', () => {
  expect(() => openWeights('x', utf8.encode('{"weight_map": {"w": "a", "w": "b"}}'))).toThrow("has the key 'w' twice")
  expect(() => open([])).toThrow("'model.safetensors.index.json' is no index of weights: weight_map must be an object")
  expect(() => open({ w: 1 })).toThrow('weight_map.w must be a text')
  expect(() => openWeights('x', utf8.encode('{"weight_map"'))).toThrow("'x' is no index of weights: it is not JSON")
})
