/** @file oneDNN's layouts of weights, by number: the dense one, those of its primitives, and that of our tiles. */
import type { DType, Shape, TensorType } from 'fovea/engine'
import type { NativePlan } from './addon.js'

/** ElementType of native/step.h: the numbers by which the native side knows types. */
export const elementTypes: Partial<Record<DType, number>> = { float32: 0, bfloat16: 1, int32: 2, uint8: 3, float16: 4 }

export class Layouts {
  readonly #bytes = new Map<number, number>()

  constructor(readonly plan: NativePlan) {}

  /** Remembers how many bytes a layout takes. */
  note(layout: number, bytes: number): void {
    this.#bytes.set(layout, bytes)
  }

  bytesOf(layout: number): number {
    return this.#bytes.get(layout)!
  }

  /** The dense layout of weights, as a number of oneDNN's; linear ones are those of 1×1 convolutions. */
  dense(shape: Shape, dtype: DType, groups: number): number {
    const weights = shape.length === 2 ? [...shape, 1, 1] : shape
    const { layout, bytes } = this.plan.layout(elementTypes[dtype]!, weights, groups, false)
    this.note(layout, bytes)
    return layout
  }

  /** The layout in which our weight gradient leaves its tiles: [outputs / 16, inputs / 16, height, width, 16, 16]. */
  tiled({ shape, dtype }: TensorType): { readonly layout: number; readonly bytes: number } {
    const found = this.plan.layout(elementTypes[dtype]!, shape, 1, true)
    this.note(found.layout, found.bytes)
    return found
  }
}
