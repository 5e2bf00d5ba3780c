/** @file One 8-bit image that operations change in place, and the room that they need: allocated once, used for every image. */
import { countLevels, lookUpLevels, mapLevels } from './walks.js'

/** An image, as large a place for what cannot be done in place, and tables. */
export class ImageBuffer {
  readonly height: number
  readonly width: number
  readonly channels: number
  /** As large as `pixels`; an operation that writes its result here swaps the two. */
  spare: Uint8Array
  /** As large, and nothing but the colour of what an operation uncovers. */
  readonly blank: Uint8Array
  /** [256] What becomes of each level; each operation fills it anew. */
  readonly levels = new Uint8Array(256)
  /** [1024] Shares of differences of levels, see tone.ts; each operation fills it anew. */
  readonly shares = new Float64Array(1024)
  /** [channels, 256] How many pixels have each level; see `count`. */
  readonly histogram: Uint32Array
  #pixels: Uint8Array
  /**
   * [channels, 256] What is still to become of each level in `#pixels`. Operations on levels follow one another in this table;
   * all pixels are changed only when somebody looks at them.
   */
  readonly #pending: Uint8Array
  #isPending = false
  /** [channels, 256] The values of the levels in `#pixels`. */
  readonly #values: Float32Array

  /** @param fill the colour of what an operation uncovers, a level for each channel */
  constructor([height, width, channels]: readonly [number, number, number], fill: Uint8Array) {
    this.height = height
    this.width = width
    this.channels = channels
    const length = height * width * channels
    this.#pixels = new Uint8Array(length)
    this.spare = new Uint8Array(length)
    this.blank = Uint8Array.from({ length }, (_, i) => fill[i % channels])
    this.histogram = new Uint32Array(256 * channels)
    this.#pending = Uint8Array.from({ length: 256 * channels }, (_, i) => i)
    this.#values = new Float32Array(256 * channels)
  }

  /** [height, width, channels] */
  get pixels(): Uint8Array {
    if (this.#isPending) {
      mapLevels(this.#pixels, this.#pending, this.channels)
      this.#settle()
    }
    return this.#pixels
  }

  /** What lies in `spare` is the image now. */
  swap(): void {
    const pixels = this.#pixels
    this.#pixels = this.spare
    this.spare = pixels
    if (this.#isPending) this.#settle()
  }

  /** Replaces each level of a channel by its entry in `levels`. */
  mapChannel(channel: number): void {
    this.#map(256 * channel, 256 * (channel + 1))
  }

  /** Replaces each level of all channels by its entry in `levels`. */
  map(): void {
    this.#map(0, this.#pending.length)
  }

  /** Counts the levels of all channels in `histogram`. */
  count(): void {
    this.histogram.fill(0)
    countLevels(this.pixels, this.histogram, this.channels)
  }

  /**
   * @param table see normalizationTable
   * @param target gets the normalized image from `out` on
   */
  normalize(table: Float32Array, target: Float32Array, out: number): void {
    const values = this.#values
    for (let c = 0; c < values.length; c += 256) {
      for (let i = c; i < c + 256; i++) values[i] = table[c + this.#pending[i]]
    }
    lookUpLevels(this.#pixels, values, this.channels, target, out)
  }

  #map(begin: number, end: number): void {
    for (let i = begin; i < end; i++) this.#pending[i] = this.levels[this.#pending[i]]
    this.#isPending = true
  }

  /** Nothing is to become of any level. */
  #settle(): void {
    for (let i = 0; i < this.#pending.length; i++) this.#pending[i] = i
    this.#isPending = false
  }
}
