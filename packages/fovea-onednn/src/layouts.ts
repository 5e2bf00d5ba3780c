/** @file oneDNN's layouts of weights, by number: the dense one, those of its primitives, and that of our tiles. */
import {
  type DType,
  type EnumerationName,
  enumerationNumber,
  type Primitive,
  type Shape,
  type TargetLayouts,
  type TensorType,
} from 'fovea/engine'
import type { NativePlan, WeightLayout } from './addon.js'

const typeNumber = (dtype: DType): number => enumerationNumber('ElementType', dtype as EnumerationName<'ElementType'>)

/** How weights lie, in the order of native/onednn.h. */
const arrangements: readonly string[] = [
  'dense',
  'inputs by outputs',
  'outputs by inputs',
  'winograd',
  'winograd transposed',
]

export class Layouts implements TargetLayouts {
  readonly #known = new Map<number, WeightLayout>()

  constructor(readonly native: NativePlan) {}

  /** Remembers what is known of a layout. */
  note(known: WeightLayout): WeightLayout {
    this.#known.set(known.layout, known)
    return known
  }

  bytesOf(layout: number): number {
    return this.#known.get(layout)!.bytes
  }

  outputBlock(layout: number): number | undefined {
    return this.#known.get(layout)!.outputBlock || undefined
  }

  /** The dense layout of weights, as a number of oneDNN's; linear ones are those of 1×1 convolutions. */
  dense(shape: Shape, dtype: DType, groups: number): number {
    const weights = shape.length === 2 ? [...shape, 1, 1] : shape
    return this.note(this.native.layout(typeNumber(dtype), weights, groups, arrangements.indexOf('dense'))).layout
  }

  /** oneDNN 2.x knows nothing of float16, and 3.x on few processors. */
  reorders(dtype: DType): boolean {
    return dtype !== 'float16'
  }

  reorder(from: number, to: number, threads: number): Primitive {
    return this.native.reorder(from, to, threads)
  }

  /** Of 3×3 windows, transformed for Winograd's algorithm. @param transposed for the gradient by the input */
  winograd(shape: Shape, transposed: boolean): number {
    const arrangement = arrangements.indexOf(transposed ? 'winograd transposed' : 'winograd')
    return this.note(this.native.layout(typeNumber('float32'), shape, 1, arrangement)).layout
  }

  /**
   * The layout in which a weight gradient of ours leaves its tiles, [outputs / 16, inputs / 16, height, width, 16, 16], the last two
   * axes as `tiles` says.
   */
  tiled({ shape, dtype }: TensorType, tiles: 'inputs by outputs' | 'outputs by inputs'): WeightLayout {
    return this.note(this.native.layout(typeNumber(dtype), shape, 1, arrangements.indexOf(tiles)))
  }
}
