/**
 * @file Translation and mirroring, at random for training or fixed for a view of an evaluation. It is what nearly every
 * recipe needs, so it is one walk over the pixels that normalizes them as well. Knows one image at a time.
 */
import { SettingError } from '../../errors.js'
import { randomAt, randomKey, streamOf } from '../../random.js'
import { group, type Rows, type ValueOf } from '../../settings/group.js'
import { choice, flag, tuple, whole } from '../../settings/kinds.js'
import { within } from '../../settings/setting.js'
import type { ImageBuffer } from './image-buffer.js'
import { passKey, type TrainingPass } from './keys.js'
import { copyPixel } from './walks.js'

/** Pads the image and crops one of its own size back at a random place. He et al. 2015, arXiv 1512.03385, section 4.2. */
export interface CropOptions {
  /** Pixels on each side. */
  readonly padding: number
  /**
   * What lies in the padding: `zero` is 0 after normalization, the mean colour (rounded to 8 bits if a policy or colour
   * jitter follows); `reflect` mirrors the image at its outermost pixels without repeating them, and needs a padding
   * smaller than the image. Default `zero`.
   */
  readonly fill?: CropFill
}

/** See CropOptions. */
export type CropFill = 'zero' | 'reflect'

/**
 * `random` mirrors each image in half of the epochs; `alternating` mirrors a random half of the images in epochs 0, 2, …
 * and the other half in between, so that two epochs see every image both ways (Jordan 2024, arXiv 2404.00498, section 3.6).
 */
export type Flip = 'random' | 'alternating'

/** One way to look at every image of an evaluation, for predictions that are averaged over several. */
export interface View {
  /** Pixels by which the image moves down and right; what it leaves behind is filled by reflection. */
  readonly shift: readonly [number, number]
  /** Mirrors what was moved. */
  readonly flip: boolean
}

const fills: readonly CropFill[] = ['zero', 'reflect']
const flips: readonly Flip[] = ['random', 'alternating']

/** The table of `CropOptions`. */
export const cropSetting = group('a random translation', {
  padding: whole('pixels on each side', { from: 0 }),
  fill: choice('what lies in the padding', fills).default('zero'),
} satisfies Rows<CropOptions>)

/** The table's row of `Flip`. */
export const flipSetting = choice('mirrors half of the images', flips)

/**
 * @param size [height, width] of the images
 * @throws SettingError for a padding that is too large to be reflected
 */
export function checkCrop({ padding, fill }: ValueOf<typeof cropSetting>, size: readonly number[], path: string): void {
  const side = Math.min(size[0], size[1])
  if (fill !== 'reflect' || padding < side) return
  throw new SettingError(
    within(path, 'padding'),
    `${padding} pixels cannot be reflected from images of ${size[0]}×${size[1]}; ` +
      `use at most ${side - 1}, or the fill 'zero'`,
  )
}

/** The table of `View`. */
export const viewSetting = group('moves and mirrors every image alike', {
  shift: tuple('pixels by which the image moves', ['down', 'right'], whole('pixels')),
  flip: flag('mirrors what was moved'),
} satisfies Rows<View>)

/**
 * @param size [height, width] of the images
 * @throws SettingError for a shift by more than the image
 */
export function checkView({ shift }: View, size: readonly number[], path: string): void {
  for (const [i, pixels] of shift.entries()) {
    if (Math.abs(pixels) < size[i]) continue
    const at = within(within(path, 'shift'), i)
    throw new SettingError(at, `expected fewer pixels than the images' ${size[0]}×${size[1]}, got ${pixels}`)
  }
}

/** Where each row and column of an image comes from; placed anew for each image, so that nothing is allocated. */
export class CropAndFlip {
  readonly #shape: readonly [number, number, number]
  /** Of each output row and column: where in the image its source begins, −1 where that is padding filled with zero. */
  readonly #rows: Int32Array
  readonly #columns: Int32Array
  /** Output columns `first` to `last` − 1 are neighbours in the image as well, in the same or the opposite order. */
  #first = 0
  #last = 0
  #step = 1
  /** The other columns, which lie in the padding. */
  readonly #padding: Int32Array
  #paddingColumns = 0

  /** @param shape [height, width, channels] of the images */
  constructor(shape: readonly [number, number, number]) {
    this.#shape = shape
    this.#rows = new Int32Array(shape[0])
    this.#columns = new Int32Array(shape[1])
    this.#padding = new Int32Array(shape[1])
    this.place(0, 0, false, 'zero')
  }

  /**
   * @param top the image's row at which the crop begins; negative: in the padding
   * @param left the same of columns
   * @param flip mirrors the crop
   */
  place(top: number, left: number, flip: boolean, fill: CropFill): void {
    const [height, width, channels] = this.#shape
    const reflect = fill === 'reflect'
    for (let y = 0; y < height; y++) {
      const row = sourceOf(y + top, height, reflect)
      this.#rows[y] = row < 0 ? -1 : row * width * channels
    }
    this.#first = Math.min(width, Math.max(0, flip ? left : -left))
    this.#last = Math.max(this.#first, Math.min(width, flip ? width + left : width - left))
    this.#step = flip ? -channels : channels
    this.#paddingColumns = 0
    for (let x = 0; x < width; x++) {
      const column = sourceOf((flip ? width - 1 - x : x) + left, width, reflect)
      this.#columns[x] = column < 0 ? -1 : column * channels
      if (x < this.#first || x >= this.#last) this.#padding[this.#paddingColumns++] = x
    }
  }

  /**
   * Crops, mirrors and normalizes one image. Padding becomes 0.
   * @param pixels holds the image from `begin` on
   * @param table see normalizationTable
   * @param target gets the image from `out` on
   */
  normalize(pixels: Uint8Array, begin: number, table: Float32Array, target: Float32Array, out: number): void {
    const [height, width, channels] = this.#shape
    const rows = this.#rows
    const columns = this.#columns
    const padding = this.#padding
    const paddingColumns = this.#paddingColumns
    const first = this.#first
    const last = this.#last
    const step = this.#step
    for (let y = 0; y < height; y++, out += width * channels) {
      if (rows[y] < 0) {
        target.fill(0, out, out + width * channels)
        continue
      }
      const row = begin + rows[y]
      for (let i = 0; i < paddingColumns; i++) {
        const x = padding[i]
        const o = out + x * channels
        if (columns[x] < 0) for (let c = 0; c < channels; c++) target[o + c] = 0
        else for (let c = 0; c < channels; c++) target[o + c] = table[256 * c + pixels[row + columns[x] + c]]
      }
      // Neither a lookup of the column nor a question within: this loop is most of the work of preparing images.
      let source = row + columns[first]
      const end = out + last * channels
      if (channels === 3) {
        for (let o = out + first * 3; o < end; o += 3, source += step) {
          target[o] = table[pixels[source]]
          target[o + 1] = table[256 + pixels[source + 1]]
          target[o + 2] = table[512 + pixels[source + 2]]
        }
      } else {
        for (let o = out + first * channels; o < end; o += channels, source += step) {
          for (let c = 0; c < channels; c++) target[o + c] = table[256 * c + pixels[source + c]]
        }
      }
    }
  }

  /**
   * Crops and mirrors one image for operations on its levels. Padding becomes the image's fill colour.
   * @param pixels holds the image from `begin` on; may be those of `target`
   */
  copy(pixels: Uint8Array, begin: number, target: ImageBuffer): void {
    const [height, width, channels] = this.#shape
    const { spare, blank } = target
    const columns = this.#columns
    spare.set(blank)
    for (let y = 0, out = 0; y < height; y++, out += width * channels) {
      if (this.#rows[y] < 0) continue
      const row = begin + this.#rows[y]
      for (let i = 0; i < this.#paddingColumns; i++) {
        const x = this.#padding[i]
        if (columns[x] >= 0) copyPixel(pixels, row + columns[x], spare, out + x * channels, channels)
      }
      const first = out + this.#first * channels
      const last = out + this.#last * channels
      const source = row + columns[this.#first]
      if (this.#step < 0) copyBackwards(pixels, source, spare, first, last, channels)
      else spare.set(pixels.subarray(source, source + last - first), first)
    }
    target.swap()
  }
}

/** Writes the elements of `target` from `begin` to `end` − 1: the pixel at `source`, the one before it, and so on. */
function copyBackwards(
  pixels: Uint8Array,
  source: number,
  target: Uint8Array,
  begin: number,
  end: number,
  channels: number,
): void {
  for (let i = begin; i < end; i += channels, source -= channels) copyPixel(pixels, source, target, i, channels)
}

/** Which pixel of a line of `length` lies at a place inside or outside it; −1 for none. */
function sourceOf(place: number, length: number, reflect: boolean): number {
  if (place >= 0 && place < length) return place
  if (!reflect) return -1
  return place < 0 ? -place : 2 * length - 2 - place
}

/**
 * Places images at random: a pure function of seed, epoch and index.
 * @returns places `target` for the image of an index
 */
export function randomPlacement(
  { crop, flip }: { readonly crop?: ValueOf<typeof cropSetting>; readonly flip?: Flip },
  pass: TrainingPass,
  target: CropAndFlip,
): (index: number) => void {
  const { padding, fill } = crop ?? { padding: 0, fill: 'zero' }
  const key = passKey('augmentation', pass)
  const firstFlip = randomKey(pass.seed, streamOf('alternating flip'))
  const odd = pass.epoch % 2 === 1
  const shift = (index: number): number => Math.floor(randomAt(key, index) * (2 * padding + 1)) - padding
  return index => {
    const mirrored =
      flip === 'alternating'
        ? randomAt(firstFlip, index) < 0.5 !== odd
        : flip === 'random' && randomAt(key, 3 * index + 2) < 0.5
    target.place(shift(3 * index), shift(3 * index + 1), mirrored, fill)
  }
}
