/** @file What a file is that is no file of weights, by how it begins: for the person who took it for one. Knows no format of weights. */

/** The first bytes of a file, a letter each. */
type Start = string

interface Kind {
  readonly fits: (start: Start) => boolean
  readonly what: string
}

const starts =
  (...texts: readonly string[]): Kind['fits'] =>
  start =>
    texts.some(text => start.startsWith(text))
const has =
  (at: number, text: string): Kind['fits'] =>
  start =>
    start.startsWith(text, at)

/** Letters beyond ASCII are bytes from 0x80; but for spaces and colours, no control character is in a text. */
const isText = (start: Start): boolean => [...start].every(letter => letter >= ' ' || '\t\n\f\r\x1b'.includes(letter))
const BYTE_ORDER_MARK = /^\xef\xbb\xbf/
const textLike =
  (pattern: RegExp): Kind['fits'] =>
  start =>
    pattern.test(start.replace(BYTE_ORDER_MARK, '').trimStart())

/** What is in the place of a file that somebody wanted to have. */
const instead: readonly Kind[] = [
  {
    fits: starts('version https://git-lfs'),
    what: 'a pointer of Git LFS, not the file itself: fetch it with `git lfs pull`',
  },
  { fits: textLike(/^<(!|html|head|\?xml)/i), what: 'a web page: download the file itself' },
  { fits: starts('\x1f\x8b'), what: 'compressed with gzip: unpack it first' },
]

const others: readonly Kind[] = [
  { fits: start => start === '', what: 'empty' },
  { fits: starts('\x89PNG', '\xff\xd8\xff', 'GIF8'), what: 'an image' },
  { fits: has(8, 'WEBP'), what: 'an image' },
  { fits: has(4, 'ftypavif'), what: 'an image' },
  { fits: has(4, 'TFL3'), what: 'a model of TensorFlow Lite' },
  { fits: starts('GGUF'), what: 'a GGUF file' },
  { fits: starts('\x93NUMPY'), what: 'an array of NumPy' },
  { fits: starts('\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05'), what: "a pickle that torch.save didn't write" },
  { fits: has(257, 'ustar'), what: 'a tar archive' },
  { fits: textLike(/^[{[]/), what: 'JSON' },
  { fits: isText, what: 'a text' },
]

const START_BYTES = 512
/** No file of weights has so few bytes. */
const FEWEST = 9

const startOf = (file: Uint8Array): Start => String.fromCharCode(...file.subarray(0, START_BYTES))

const kindOf = (kinds: readonly Kind[], file: Uint8Array): string | undefined => {
  const start = startOf(file)
  return kinds.find(({ fits }) => fits(start))?.what
}

/** What a file is that stands in the place of another, and what to do; undefined for all else. */
export const insteadOfFile = (file: Uint8Array): string | undefined => kindOf(instead, file)

/** What a file is that no format of weights fits. */
export function contentOf(file: Uint8Array): string {
  if (file.length < FEWEST && !isText(startOf(file))) return `cut short after ${file.length} bytes`
  return kindOf(others, file) ?? 'a file of another kind'
}
