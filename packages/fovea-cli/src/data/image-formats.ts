/**
 * @file Which files are images: by the ending of their names or, where that says nothing or lies, by their first bytes.
 * Knows no decoder.
 */
import { extname } from 'node:path'

export interface ImageFormat {
  readonly name: string
  /** Of file names; the first is the usual one. */
  readonly endings: readonly string[]
  /** Text (as Latin-1) that a file of this format has at this place, one of them. */
  readonly signatures: readonly (readonly [offset: number, text: string])[]
  /** Other formats begin alike: what has another ending is not taken for it. */
  readonly ambiguous?: true
}

/** What is decoded. */
const FORMATS: readonly ImageFormat[] = [
  { name: 'JPEG', endings: ['.jpg', '.jpeg', '.jpe', '.jfif'], signatures: [[0, '\xff\xd8\xff']] },
  { name: 'PNG', endings: ['.png'], signatures: [[0, '\x89PNG\r\n\x1a\n']] },
  { name: 'WebP', endings: ['.webp'], signatures: [[8, 'WEBP']] },
  { name: 'GIF', endings: ['.gif'], signatures: [[0, 'GIF8']] },
  {
    name: 'TIFF',
    endings: ['.tif', '.tiff'],
    signatures: ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].map(text => [0, text] as const),
    ambiguous: true, // Raw files of cameras.
  },
  { name: 'BMP', endings: ['.bmp', '.dib'], signatures: [[0, 'BM']], ambiguous: true }, // Any text may begin so.
  { name: 'AVIF', endings: ['.avif'], signatures: ['ftypavif', 'ftypavis'].map(text => [4, text] as const) },
]

/** Patents keep HEVC out of the decoders that are free to copy. */
const HEIC_BRANDS = ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1']

/** Files that are taken for images, by the end of their name. */
export const IMAGE_EXTENSIONS: readonly string[] = FORMATS.flatMap(({ endings }) => endings)

/** `JPEG, PNG, … or AVIF`. */
export const formatNames = FORMATS.map(({ name }) => name)
  .join(', ')
  .replace(/, (?=[^,]*$)/, ' or ')

/** As many of a file's first bytes as tell its format. */
export const SIGNATURE_BYTES = 32

/** What a file is that begins so; undefined if it is none of the images that are decoded. */
export function formatOf(start: Buffer): ImageFormat | undefined {
  const begins = ([at, text]: readonly [number, string]) => start.toString('latin1', at, at + text.length) === text
  return FORMATS.find(({ signatures }) => signatures.some(begins))
}

/** Whether a file that begins so is HEIC, as iPhones store photos. */
export const isHeic = (start: Buffer): boolean =>
  start.toString('latin1', 4, 8) === 'ftyp' && HEIC_BRANDS.includes(start.toString('latin1', 8, 12))

/** `.jpg` of `A.JPG`, empty of a name without an ending. */
export const endingOf = (name: string): string => extname(name).toLowerCase()

export const hasImageEnding = (name: string): boolean => IMAGE_EXTENSIONS.includes(endingOf(name))
