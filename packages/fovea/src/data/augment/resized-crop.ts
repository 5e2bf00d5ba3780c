/**
 * @file Resized crops: a random part of the image, enlarged to the image's size (Szegedy et al. 2015, arXiv 1409.4842,
 * section 6). A part is never larger than its image, so bilinear interpolation leaves nothing out.
 */
import { randomKey } from '../../random.js'
import { group, type Rows, type ValueOf } from '../../settings/group.js'
import { interval } from './check.js'
import type { ImageBuffer } from './image-buffer.js'
import { passKey, type TrainingPass } from './keys.js'
import { type Rectangle, randomRectangle } from './rectangle.js'

/** The defaults are the paper's. */
export interface ResizedCropOptions {
  /** Area of the part, as a share of the image's. Default [0.08, 1]. */
  readonly scale?: readonly [number, number]
  /** Width / height of the part. Default [3/4, 4/3]. */
  readonly ratio?: readonly [number, number]
}

/** Weights are fixed-point numbers with so many bits after the point, as PIL's; 255 levels of them fit into 32 bits. */
const BITS = 22
const ONE = 1 << BITS

/** The table of `ResizedCropOptions`. */
export const resizedCropSetting = group('a random part, enlarged', {
  scale: interval("area of the part, as a share of the image's", { to: 1 }).default([0.08, 1]),
  ratio: interval('width / height of the part').default([3 / 4, 4 / 3]),
} satisfies Rows<ResizedCropOptions>)

/**
 * @param shape [height, width, channels] of the images
 * @returns writes the crop that an image's index draws into `target`; `pixels` holds images, this one from `begin` on
 */
export function randomResizedCrop(
  { scale, ratio }: ValueOf<typeof resizedCropSetting>,
  pass: TrainingPass,
  shape: readonly [number, number, number],
): (index: number, pixels: Uint8Array, begin: number, target: ImageBuffer) => void {
  const key = passKey('resized crop', pass)
  const part = { top: 0, left: 0, bottom: 0, right: 0 }
  const enlarge = bilinear(shape)
  return (index, pixels, begin, target) => {
    if (!randomRectangle(randomKey(key, index), shape, scale, ratio, part)) centralPart(shape, ratio, part)
    enlarge(pixels, begin, part, target)
  }
}

/** What torchvision takes when nothing fits: the largest part in the middle with a ratio that is allowed. */
function centralPart([height, width]: readonly number[], [low, high]: readonly [number, number], target: Rectangle) {
  const ratio = Math.min(high, Math.max(low, width / height))
  const across = Math.min(width, Math.max(1, Math.round(height * ratio)))
  const down = Math.min(height, Math.max(1, Math.round(width / ratio)))
  target.top = (height - down) >> 1
  target.left = (width - across) >> 1
  target.bottom = target.top + down
  target.right = target.left + across
}

/** Enlarges a part of an image to the image's size, first its rows, then its columns, rounding in between as PIL does. */
function bilinear([height, width, channels]: readonly [number, number, number]) {
  const row = width * channels
  const rows = new Line(height)
  const columns = new Line(width)
  const wide = new Uint8Array(height * row)
  return (pixels: Uint8Array, begin: number, part: Rectangle, target: ImageBuffer): void => {
    const down = part.bottom - part.top
    columns.stretch(part.left, part.right, channels)
    rows.stretch(0, down, row)
    for (let y = 0; y < down; y++) stretchRow(pixels, begin + (part.top + y) * row, columns, channels, wide, y * row)
    for (let y = 0; y < height; y++) blendRows(wide, rows, y, target.spare, row)
    target.swap()
  }
}

/** Writes one row of the image, which begins at `from`, as wide as the result. */
function stretchRow(
  pixels: Uint8Array,
  from: number,
  { first, second, weight }: Line,
  channels: number,
  target: Uint8Array,
  out: number,
): void {
  if (channels === 3) {
    for (let x = 0; x < weight.length; x++, out += 3) {
      const a = from + first[x]
      const b = from + second[x]
      const share = weight[x]
      target[out] = between(pixels[a], pixels[b], share)
      target[out + 1] = between(pixels[a + 1], pixels[b + 1], share)
      target[out + 2] = between(pixels[a + 2], pixels[b + 2], share)
    }
    return
  }
  for (let x = 0; x < weight.length; x++) {
    const a = from + first[x]
    const b = from + second[x]
    for (let c = 0; c < channels; c++) target[out++] = between(pixels[a + c], pixels[b + c], weight[x])
  }
}

/** Writes row `y` of the result, `length` elements, from the two between which it lies. */
function blendRows(
  wide: Uint8Array,
  { first, second, weight }: Line,
  y: number,
  target: Uint8Array,
  length: number,
): void {
  const out = y * length
  const [a, b, share] = [first[y], second[y], weight[y]]
  for (let i = 0; i < length; i++) target[out + i] = between(wide[a + i], wide[b + i], share)
}

/** From `a` to `b`: the rounded mean, of which `share` is b's. */
const between = (a: number, b: number, share: number): number => a + ((Math.imul(b - a, share) + ONE / 2) >> BITS)

/** Along one side of the result: between which two pixels of the part each pixel lies, and how much is the second's. */
class Line {
  /** Offsets. */
  readonly first: Int32Array
  readonly second: Int32Array
  /** In fixed point. */
  readonly weight: Int32Array

  constructor(length: number) {
    this.first = new Int32Array(length)
    this.second = new Int32Array(length)
    this.weight = new Int32Array(length)
  }

  /** Stretches the pixels from `start` to `end` − 1, each `stride` elements long, over the line. */
  stretch(start: number, end: number, stride: number): void {
    const scale = (end - start) / this.first.length
    for (let i = 0; i < this.first.length; i++) {
      const place = start + (i + 0.5) * scale - 0.5
      const before = Math.floor(place)
      this.first[i] = Math.max(start, before) * stride
      this.second[i] = Math.min(end - 1, before + 1) * stride
      this.weight[i] = Math.round((place - before) * ONE)
    }
  }
}
