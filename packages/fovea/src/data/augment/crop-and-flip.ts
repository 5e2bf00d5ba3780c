/**
 * @file Translation and mirroring, at random for training or fixed for a view of an evaluation. It is what nearly every
 * recipe needs, so it is one walk over the pixels that normalizes them as well. Knows one image at a time.
 */
import { InvalidArgumentError, unknownName } from '../../errors.js'
import { randomAt, randomKey, streamOf } from '../../random.js'
import { passKey, type TrainingPass } from './keys.js'

/** Pads the image and crops one of its own size back at a random place. He et al. 2015, arXiv 1512.03385, section 4.2. */
export interface CropOptions {
  /** Pixels on each side. */
  readonly padding: number
  /**
   * What lies in the padding: `zero` is 0 after normalization, the mean colour; `reflect` mirrors the image at its
   * outermost pixels without repeating them, and needs a padding smaller than the image. Default `zero`.
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

/**
 * @param size [height, width] of the images
 * @throws InvalidArgumentError for a padding that is no number of pixels or too large to reflect, or an unknown fill
 */
export function checkCrop({ padding, fill = 'zero' }: CropOptions, size: readonly number[]): void {
  if (!Number.isSafeInteger(padding) || padding < 0) {
    throw new InvalidArgumentError(`crop: the padding must be a whole number of pixels from 0 on, not ${padding}`)
  }
  if (!fills.includes(fill)) throw unknownName('fill of crop', String(fill), fills)
  const side = Math.min(size[0], size[1])
  if (fill === 'reflect' && padding >= side) {
    throw new InvalidArgumentError(
      `crop: a padding of ${padding} cannot be reflected from images of ${size[0]}×${size[1]}; ` +
        `use at most ${side - 1}, or the fill 'zero'`,
    )
  }
}

/** @throws InvalidArgumentError for an unknown way to flip */
export function checkFlip(flip: Flip): void {
  if (!flips.includes(flip)) throw unknownName('flip', String(flip), flips)
}

/**
 * @param size [height, width] of the images
 * @throws InvalidArgumentError for a shift that is no number of pixels within the image
 */
export function checkView({ shift }: View, size: readonly number[]): void {
  if (shift.length !== 2 || !shift.every((pixels, i) => Number.isSafeInteger(pixels) && Math.abs(pixels) < size[i])) {
    throw new InvalidArgumentError(
      `view: the shift must be two whole numbers of pixels, less than the images' ${size[0]}×${size[1]}, not [${shift}]`,
    )
  }
}

/** Where each row and column of an image comes from; placed anew for each image, so that nothing is allocated. */
export class CropAndFlip {
  readonly #shape: readonly [number, number, number]
  /** Of each output row and column: where in the image its source begins, −1 where that is padding. */
  readonly #rows: Int32Array
  readonly #columns: Int32Array

  /** @param shape [height, width, channels] of the images */
  constructor(shape: readonly [number, number, number]) {
    this.#shape = shape
    this.#rows = new Int32Array(shape[0])
    this.#columns = new Int32Array(shape[1])
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
    for (let x = 0; x < width; x++) {
      const column = sourceOf((flip ? width - 1 - x : x) + left, width, reflect)
      this.#columns[x] = column < 0 ? -1 : column * channels
    }
  }

  /**
   * Crops, mirrors and normalizes one image. Padding becomes 0.
   * @param begin of the image, both in `pixels` and in `target`
   * @param table see normalizationTable
   */
  normalize(pixels: Uint8Array, begin: number, table: Float32Array, target: Float32Array): void {
    const [height, width, channels] = this.#shape
    const columns = this.#columns
    let out = begin
    for (let y = 0; y < height; y++) {
      const row = this.#rows[y]
      if (row < 0) {
        target.fill(0, out, out + width * channels)
        out += width * channels
      } else if (channels === 3) {
        for (let x = 0; x < width; x++, out += 3) {
          const column = columns[x]
          const source = begin + row + column
          target[out] = column < 0 ? 0 : table[pixels[source]]
          target[out + 1] = column < 0 ? 0 : table[256 + pixels[source + 1]]
          target[out + 2] = column < 0 ? 0 : table[512 + pixels[source + 2]]
        }
      } else {
        for (let x = 0; x < width; x++, out += channels) {
          const column = columns[x]
          const source = begin + row + column
          for (let c = 0; c < channels; c++) target[out + c] = column < 0 ? 0 : table[256 * c + pixels[source + c]]
        }
      }
    }
  }
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
  { crop, flip }: { readonly crop?: CropOptions; readonly flip?: Flip },
  pass: TrainingPass,
  target: CropAndFlip,
): (index: number) => void {
  const { padding = 0, fill = 'zero' } = crop ?? {}
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
