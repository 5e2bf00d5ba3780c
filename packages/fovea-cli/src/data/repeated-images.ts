/** @file Images that are the same, pixel for pixel, where they must not be: in two splits, or in two classes. */
import type { FoundImage } from './folder-scan.js'
import { imageHash } from './image-hash.js'

/** How many images are another's like, and one of them after that other. */
export interface Repeats {
  readonly images: number
  readonly example: [string, string]
}

export class RepeatedImages {
  readonly #first = new Map<string, FoundImage>()
  #acrossSplits: Repeats | undefined
  #acrossClasses: Repeats | undefined

  /** Images come in the order of the splits. */
  add(image: FoundImage, pixels: Uint8Array): void {
    const hash = imageHash(pixels)
    const first = this.#first.get(hash)
    if (first === undefined) {
      this.#first.set(hash, image)
      return
    }
    const more = (before: Repeats | undefined): Repeats => ({
      images: (before?.images ?? 0) + 1,
      example: before?.example ?? [first.path, image.path],
    })
    if (first.split !== image.split) this.#acrossSplits = more(this.#acrossSplits)
    if (first.label !== image.label) this.#acrossClasses = more(this.#acrossClasses)
  }

  get found(): { readonly acrossSplits?: Repeats; readonly acrossClasses?: Repeats } {
    const [acrossSplits, acrossClasses] = [this.#acrossSplits, this.#acrossClasses]
    return { ...(acrossSplits && { acrossSplits }), ...(acrossClasses && { acrossClasses }) }
  }
}
