/** @file One 8-bit image that operations change in place, and the room that they need: allocated once, used for every image. */

/** An image, as large a place for what cannot be done in place, and tables. */
export class ImageBuffer {
  readonly height: number
  readonly width: number
  readonly channels: number
  /** [height, width, channels] */
  pixels: Uint8Array
  /** As large; an operation that writes its result here swaps the two. */
  spare: Uint8Array
  /** What becomes of each level; each operation fills it anew. */
  readonly levels = new Uint8Array(256)
  /** How many pixels have each level; each operation fills it anew. */
  readonly histogram = new Uint32Array(256)

  /** @param fill the colour of what an operation uncovers, a level for each channel */
  constructor(
    [height, width, channels]: readonly [number, number, number],
    readonly fill: Uint8Array,
  ) {
    this.height = height
    this.width = width
    this.channels = channels
    this.pixels = new Uint8Array(height * width * channels)
    this.spare = new Uint8Array(height * width * channels)
  }

  /** What lies in `spare` is the image now. */
  swap(): void {
    const { pixels } = this
    this.pixels = this.spare
    this.spare = pixels
  }

  /** Replaces each level of a channel by its entry in `levels`. */
  mapChannel(channel: number): void {
    const { pixels, levels, channels } = this
    for (let i = channel; i < pixels.length; i += channels) pixels[i] = levels[pixels[i]]
  }

  /** Replaces each level of all channels by its entry in `levels`. */
  map(): void {
    const { pixels, levels } = this
    for (let i = 0; i < pixels.length; i++) pixels[i] = levels[pixels[i]]
  }

  /** Counts the levels of a channel in `histogram`. */
  countChannel(channel: number): void {
    const { pixels, histogram, channels } = this
    histogram.fill(0)
    for (let i = channel; i < pixels.length; i += channels) histogram[pixels[i]]++
  }
}
