/** @file Claims about protocol buffers: what is written is read again, and no bytes from outside end in an accident. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FormatError } from '../../../src/errors.js'
import type { Message } from '../../../src/formats/onnx/messages.js'
import { decodeMessage, encodeMessage } from '../../../src/formats/onnx/wire.js'

const encoded = (draft: Parameters<typeof encodeMessage<'ModelProto'>>[1]): Buffer =>
  Buffer.concat(encodeMessage('ModelProto', draft))
const decoded = (bytes: Uint8Array): Message<'ModelProto'> => decodeMessage('ModelProto', bytes)

const tensor = fc.record({
  name: fc.string(),
  dims: fc.array(fc.maxSafeNat()),
  dataType: fc.nat(20),
  rawData: fc.uint8Array({ maxLength: 100 }).map(bytes => Uint8Array.from(bytes)),
})
const attribute = fc.record(
  {
    name: fc.string(),
    i: fc.maxSafeInteger(),
    f: fc.float({ noNaN: true }),
    ints: fc.array(fc.maxSafeInteger()),
    t: tensor,
  },
  { requiredKeys: ['name', 'ints'] },
)
const model = fc.record({
  irVersion: fc.nat(),
  producerName: fc.string({ unit: 'grapheme' }),
  graph: fc.record({
    node: fc.array(fc.record({ opType: fc.string(), input: fc.array(fc.string()), attribute: fc.array(attribute) })),
    initializer: fc.array(tensor),
  }),
})

test('what is written is read again', () => {
  fc.assert(
    fc.property(model, draft => {
      expect(decoded(encoded(draft))).toMatchObject(draft)
    }),
  )
})

test('a tensor of any length lies in the file as it is, without a copy when it is long', () => {
  const rawData = new Uint8Array(1 << 17).fill(7)
  const chunks = encodeMessage('ModelProto', { graph: { initializer: [{ name: 'w', rawData }] } })
  expect(chunks).toContain(rawData)
  const file = new Uint8Array(Buffer.concat(chunks))
  const found = decoded(file).graph!.initializer[0].rawData!
  expect(found.buffer).toBe(file.buffer)
  expect(found).toEqual(rawData)
})

test('files that are cut or damaged anywhere are read or refused by a FormatError, nothing else', () => {
  fc.assert(
    fc.property(model, fc.nat(), fc.nat(255), (draft, at, byte) => {
      const bytes = encoded(draft)
      const damaged = Uint8Array.from(bytes)
      damaged[at % Math.max(1, bytes.length)] = byte
      for (const file of [damaged, bytes.subarray(0, at % (bytes.length + 1))]) {
        try {
          decoded(file)
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
        }
      }
    }),
  )
})

const nested = (field: number, bytes: Uint8Array): Uint8Array =>
  new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(bytes).finish()

test.each<[string, Uint8Array, RegExp]>([
  ['a length beyond the end', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0x7f), /^ModelProto: 'graph' ends too early$/],
  ['a wrong wire type', Uint8Array.of(0x38, 1), /^ModelProto\.graph is of wire type 0, not 2$/],
  [
    'a damaged node',
    nested(7, nested(1, Uint8Array.of(0x22, 9))),
    /^ModelProto\.graph\.node\[0\]: 'opType' ends too early$/,
  ],
  [
    '200,000 empty nodes',
    nested(
      7,
      new Uint8Array(400_000).map((_, i) => (i % 2 === 0 ? 0x0a : 0)),
    ),
    /graph\.node: more than 100000 entries$/,
  ],
  [
    'a number that is a list of 200,000',
    nested(7, nested(1, nested(5, nested(8, new Uint8Array(200_000))))),
    /attribute\[0\]\.ints: more than/,
  ],
])('%s is refused with its place', (_, bytes, message) => {
  expect(() => decoded(bytes)).toThrow(message)
})

test('groups that lie deep in each other are refused, fields of later versions are passed over', () => {
  expect(() => decoded(new Uint8Array(100_000).fill(0xa3))).toThrow(FormatError)
  expect(decoded(Uint8Array.of(0x08, 8, 0xa8, 0x06, 1)).irVersion).toBe(8)
})
