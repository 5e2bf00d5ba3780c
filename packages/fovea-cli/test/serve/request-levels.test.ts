/** @file Claims about levels in JSON: they are those that JSON.parse finds, without its values; what is none is refused, however long. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requestParts } from '../../src/serve/request-levels.js'

const withData = (data: string, more = ''): Buffer =>
  Buffer.from(`{"id":"a \\"data\\":[7]","inputs":[{"name":"image","shape":[1,2],${more}"data":${data}}]}`)
const levelsOf = (data: string): number[] => [...requestParts(withData(data)).levels!]

const level = fc.nat(255)
const nested = fc.oneof(
  fc.array(level),
  fc.array(fc.array(level)),
  fc.array(fc.oneof(level, fc.array(fc.array(fc.array(level, { maxLength: 4 }), { maxLength: 4 }), { maxLength: 4 }))),
)

test('lists of levels, nested and with spaces, are read as JSON.parse reads them, and what is around them too', () => {
  fc.assert(
    fc.property(nested, fc.constantFrom(undefined, 1, '\t\n'), (data, space) => {
      const request = { id: '"data":[1]}', inputs: [{ name: 'image', shape: [1], data, more: [[9]] }], data: [3] }
      const { json, levels } = requestParts(Buffer.from(JSON.stringify(request, null, space)))
      expect([...levels!]).toEqual(data.flat(3))
      expect(json).toEqual({ ...request, inputs: [{ ...request.inputs[0], data: null }] })
    }),
  )
})

test('a number may be written as JSON allows', () => {
  expect(levelsOf('[0, 7 ,255,1.0,2e2,-0,25.5E1]')).toEqual([0, 7, 255, 1, 200, 0, 255])
})

test.each([
  ...['256', '-1', '0.5', '1000', '01', '00', '1e3', '+1', '.5', '1.', 'NaN', '0x1', '"7"', 'null', 'true', '{"a":1}'],
  ...['1'.repeat(100_000), '1 2', '[1]2', ',1', '1,', '1,,2', '[', '[1],', ''].map(text => text || ','),
])('what is no list of levels is refused: [%s]', text => {
  let message = ''
  try {
    levelsOf(`[${text}]`)
  } catch (error) {
    message = (error as Error).message
  }
  expect(message).toMatch(/^data of 'image': expected |^the body is no JSON/)
  expect(message.length).toBeLessThan(150)
})

describe('a body of many small values', () => {
  const many = 200_000

  test('takes no value for each: among levels, empty lists are none', () => {
    expect(levelsOf(`[${'[],'.repeat(many)}[]]`)).toEqual([])
  })

  test('is refused before it is parsed, wherever they are', () => {
    const lists = `[${'[],'.repeat(many)}[]]`
    for (const body of [
      Buffer.from(lists),
      Buffer.from(`{"parameters":{"data":${lists}},"inputs":[]}`),
      withData('[1]', `"parameters":{"data":${lists}},`),
      withData('[1]', `"shape":${lists},`),
    ]) {
      expect(() => requestParts(body)).toThrow(
        /^the request without the levels in 'data' has 586 KiB of JSON; it may have 64/,
      )
    }
  })

  test('cannot be sent as a second list of levels, nor as one without an end', () => {
    expect(() => requestParts(withData('[1]', '"data":[2],'))).toThrow("data of 'image': expected once, got it twice")
    const open = withData(`[${'['.repeat(3)}1`)
    expect(() => requestParts(open.subarray(0, open.length - 3))).toThrow('got the end of the body')
    expect(() => requestParts(withData('['.repeat(100_000)))).toThrow("data of 'image' is more than 4 lists deep")
    expect(() => requestParts(Buffer.from('{"inputs":[{"data'))).toThrow('the body is no JSON')
  })
})
