/** @file Claims about files that are no weights: the message says what they are, and what is read. */
import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { openWeights } from '../../src/formats/registry.js'
import { FormatError } from '../../src/index.js'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const read = 'those of PyTorch, Keras and safetensors are read, and ONNX models'

describe('what is no file of weights is called by what it is', () => {
  test.each([
    ['a text', 'Which weights do you mean?\n'],
    ['a text', 'x'.repeat(5000)],
    ['a text', Buffer.from('Größe;Höhe\n1;2\n', 'utf8').toString('latin1')],
    ['JSON', '{"error": "Entry not found"}'],
    ['empty', ''],
    ['cut short after 3 bytes', 'PK\x03'],
    ['an image', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
    ['an image', '\xff\xd8\xff\xe0\0\x10JFIF\0'],
    ['an image', 'RIFF\x10\0\0\0WEBPVP8 '],
    ['a model of TensorFlow Lite', '\x1c\0\0\0TFL3\0\0\0'],
    ['a text', 'hello'],
    ['a GGUF file', 'GGUF\x03\0\0\0\0\0'],
    ['an array of NumPy', '\x93NUMPY\x01\0v\0'],
    ["a pickle that torch.save didn't write", '\x80\x04\x95\x0b\0\0\0\0\0\0\0}'],
    ['a tar archive', `name${'\0'.repeat(253)}ustar\0`],
    ['a file of another kind', '\x7fELF\x02\x01\x01\0\0\0'],
    ['a file of another kind', '\0'.repeat(1000)],
  ])('%s: %j', (what, start) => {
    expect(() => openWeights('a.pth', bytes(start))).toThrow(
      new FormatError(`'a.pth' is ${what}, not a file of weights: ${read}`),
    )
  })

  test.each([
    ['a web page: download the file itself', '\n\n<!DOCTYPE html><html>'],
    ['a web page: download the file itself', '\xef\xbb\xbf<HTML><body>'],
    [
      'a pointer of Git LFS, not the file itself: fetch it with `git lfs pull`',
      'version https://git-lfs.github.com/spec',
    ],
    ['compressed with gzip: unpack it first', '\x1f\x8b\x08\0\0\0\0\0'],
  ])('what stands in its place, and what to do: %s', (what, start) => {
    expect(() => openWeights('a.pth', bytes(start))).toThrow(new FormatError(`'a.pth' is ${what}`))
  })

  test('an archive of something else is said to be one', () => {
    expect(() => openWeights('a.zip', zipSync({ 'a.txt': bytes('x') }, { level: 0 }))).toThrow(
      "it is a zip file with no 'data.pkl', which PyTorch's have",
    )
  })
})

test('a header of safetensors that is damaged is said to be one', () => {
  expect(() => openWeights('a', bytes('\xff\xff\xff\xff\xff\xff\xff\xff{"w":{}}'))).toThrow(
    "'a' cannot be read as a safetensors file: its header claims 18446744073709551615 bytes",
  )
})
