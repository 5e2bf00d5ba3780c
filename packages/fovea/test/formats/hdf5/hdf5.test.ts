/** @file Claims about the reader of HDF5, on files that h5py wrote (make-fixtures.py) and on damaged ones. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../../src/errors.js'
import { type Hdf5Object, openHdf5 } from '../../../src/formats/hdf5/hdf5.js'
import { numbersOf } from '../../../src/formats/stored-numbers.js'
import { isForeign } from '../../../src/formats/weight-source.js'
import { elements, isFloat } from '../../../src/graph/types.js'

const fixture = (name: string): Uint8Array => readFileSync(new URL(name, import.meta.url))

/** Numbers of any type, exactly. */
function valuesOf(object: Hdf5Object): number[] {
  const { dtype, shape, bytes } = object.tensor()
  if (isForeign(dtype)) {
    expect(['bool', 'int64', 'int16']).toContain(dtype)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return Array.from({ length: elements(shape) }, (_, i) =>
      dtype === 'int64' ? Number(view.getBigInt64(8 * i, true)) : view.getInt16(2 * i, true),
    )
  }
  return Array.from(numbersOf('a', { dtype, shape, bytes }, { dtype, shape }), Number)
}

const shapes: Readonly<Record<string, readonly number[]>> = {
  contiguous: [3, 5],
  chunked: [7, 10],
  gzip: [7, 10],
  shuffled: [40, 30],
  'one chunk': [4, 3],
  'one gzip chunk': [4, 3],
  compact: [2, 2],
  implicit: [4, 5],
}
const types: Readonly<Record<string, string>> = {
  ...{ '<f2': 'float16', '<f8': 'float64', '>f4': 'float32', '>f8': 'float64', '<u1': 'uint8' },
  ...{ '<i1': 'int8', '<i2': 'int16', '<i4': 'int32', '<i8': 'int64', '>i4': 'int32' },
}

describe.each(['layouts.h5', 'layouts-latest.h5'])('%s', name => {
  const root = openHdf5(fixture(name))
  const child = (key: string): Hdf5Object => root.children!.get(key)!

  test.each(Object.entries(shapes))('%s numbers', (key, shape) => {
    expect(child(key).tensor().shape).toEqual(shape)
    expect(valuesOf(child(key))).toEqual(Array.from({ length: elements(shape) }, (_, i) => i / 4))
    // A second time, too.
    expect(valuesOf(child(key))).toHaveLength(elements(shape))
  })

  test.each(Object.entries(types))('%s', (written, dtype) => {
    const tensor = child(`type ${written}`).tensor()
    expect(tensor.dtype).toBe(dtype)
    const isWhole = !isFloat(dtype as 'float32')
    const expected = Array.from({ length: 6 }, (_, i) => (isWhole ? Math.trunc(i / 4) : i / 4))
    expect(valuesOf(child(`type ${written}`))).toEqual(expected)
  })

  test('a scalar, nothing, and nothing that was deleted', () => {
    expect([child('scalar').tensor().shape, valuesOf(child('scalar'))]).toEqual([[], [2.5]])
    expect([child('empty').tensor().shape, valuesOf(child('empty'))]).toEqual([[0, 3], []])
    expect(root.children!.has('a')).toBe(false)
  })

  test('texts', () => {
    expect(Object.fromEntries(root.texts())).toEqual({
      'long text': ['as long as it may be'],
      texts: ['one', 'two', 'three'],
      'long texts': ['eins', 'zwei', 'drü'],
    })
  })
})

test.each([
  ['groups.h5', 50],
  ['groups-few.h5', 5],
  // Links in a fractal heap, with an index of more than one node.
  ['groups-tracked.h5', 120],
])('%s: every group, with its attribute and its number', (name, count) => {
  const { children } = openHdf5(fixture(name))
  expect(children!.size).toBe(count)
  for (let i = 0; i < count; i++) {
    const group = children!.get(`group_${i}`)!
    expect(group.texts().get('name')).toEqual([`number ${i}`])
    expect(valuesOf(group.children!.get('0')!)).toEqual([i])
  }
})

test('a symbol table of two levels', () => {
  const { children } = openHdf5(fixture('many.h5'))
  expect(Array.from({ length: 260 }, (_, i) => valuesOf(children!.get(`n${i}`)!)[0])).toEqual([...Array(260).keys()])
})

test.each([
  ['lzf', 'names the filter lzf; only gzip and shuffle are read'],
  ['fletcher32', 'names the filter fletcher32; only gzip and shuffle are read'],
  ['texts', 'it holds texts, which are not read'],
  ['bools', 'it holds names of a list, which are not read'],
  ['complex', 'it holds records, which are not read'],
  ['unsigned', 'it holds integers of 32 bits without a sign, which are not read'],
  ['never written', 'has no numbers: they were never written'],
])('%s: refused by name', (key, message) => {
  for (const name of ['refused.h5', 'refused-latest.h5']) {
    expect(() => openHdf5(fixture(name)).children!.get(key)!.tensor()).toThrow(message)
  }
})

test('a dataset that can grow is read from a B-tree, and refused from the newer index', () => {
  expect(valuesOf(openHdf5(fixture('refused.h5')).children!.get('growing')!)).toHaveLength(64)
  const newer = openHdf5(fixture('refused-latest.h5')).children!.get('growing')!
  expect(() => newer.tensor()).toThrow(/^'\/growing': .* has its chunks in an extensible array, which is not read$/)
})

test.each([
  ['soft-link.h5', "'/': 'there' is a soft link, which is not followed"],
  ['external-link.h5', "'/': 'there' is a link to another file, which is not followed"],
  ['circle.h5', "'/a/b': an object header at byte 96 is referred to twice"],
])('%s', (name, message) => {
  expect(() => openHdf5(fixture(name))).toThrow(message)
})

/** All numbers and texts. */
function readAll(object: Hdf5Object): void {
  object.texts()
  if (object.children === undefined) object.tensor().bytes
  else for (const child of object.children.values()) readAll(child)
}

test.each(['layouts.h5', 'layouts-latest.h5', 'groups-tracked.h5'])('%s cut off at every 1 %%', name => {
  const whole = fixture(name)
  for (let percent = 0; percent < 100; percent++) {
    const part = whole.subarray(0, Math.floor((whole.length * percent) / 100))
    expect(() => readAll(openHdf5(part))).toThrow(FormatError)
  }
  expect(() => openHdf5(whole.subarray(0, 5000))).toThrow(`it was cut short: it should have ${whole.length} bytes`)
})

describe('headers that claim what is not there', () => {
  const layouts = fixture('layouts.h5')
  /** Where the shape of a dataset stands: two lengths one after the other. */
  const placeOf = (sides: readonly number[]): number => {
    const wanted = Buffer.from(new Uint8Array(BigUint64Array.from(sides, BigInt).buffer))
    return Buffer.from(layouts).indexOf(wanted)
  }
  const changed = (at: number, value: bigint): Uint8Array => {
    const bytes = new Uint8Array(layouts)
    new DataView(bytes.buffer).setBigUint64(at, value, true)
    return bytes
  }

  test.each([[2n ** 60n], [2n ** 50n], [2n ** 40n]])('a side of %d', side => {
    expect(() => readAll(openHdf5(changed(placeOf([3, 5]), side)))).toThrow(
      /^'\/contiguous': (it claims \d+ bytes, the file has \d+|.* has a number that is too large: \d+)$/,
    )
  })

  test('a root that lies nowhere', () => {
    expect(() => openHdf5(changed(64, 2n ** 60n))).toThrow(
      'its superblock at byte 0 refers to byte 1152921504606846976, the file has 32240',
    )
  })

  test('a chunk that becomes more than it should', () => {
    // The side of a chunk that the header says, less than what was compressed.
    const bytes = new Uint8Array(layouts)
    const chunk = Buffer.from(bytes).indexOf(Buffer.from(Uint32Array.of(16, 30, 4).buffer))
    new DataView(bytes.buffer).setUint32(chunk, 8, true)
    expect(() => openHdf5(bytes).children!.get('shuffled')!.tensor().bytes).toThrow(
      /^'\/shuffled': a chunk at byte \d+ does not become 960 bytes$/,
    )
  })
})
