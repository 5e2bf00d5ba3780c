/**
 * @file How weights lie, by number: dense, as all state does, or packed as our convolutions read them (native/kernels/panels.h). Packing
 * is a step of the plan, done again when the weights change.
 */
import { type DType, elements, type Shape } from '../../../graph/types.js'
import { type Encoded, encode, kernelBytes } from '../kernels/emit.js'
import type { KernelName } from '../kernels/table.js'
import type { Operand } from '../steps.js'
import type { Packing, TargetLayouts } from '../target.js'

/** What is in its place is of no account: numbers alone are taken. */
const nowhere: Operand = {
  buffer: { bytes: 0, state: false, perThread: false, zeroed: false, scratch: false, pendingReads: 0 },
  sliced: false,
}
const ends = { weight: nowhere, packed: nowhere }

interface Layout {
  readonly bytes: number
  readonly packing: Packing
}

const layout = (kernel: KernelName, bytes: number, { ints, floats }: Encoded): Layout => ({
  bytes,
  packing: { run: { kernel }, implementation: kernel, ints, floats },
})

export class PackedWeights implements TargetLayouts {
  readonly #layouts: (Layout | undefined)[] = []
  readonly #numbers = new Map<string, number>()

  dense(shape: Shape, dtype: DType): number {
    return this.#number(`dense ${dtype} ${shape}`, () => undefined)
  }

  /** A weight that is read in panels is kept dense. */
  outputBlock(): undefined {}

  /** In panels. @param transposed for the gradient by the input */
  panels([out, inputs, ...window]: Shape, groups: number, transposed: boolean): number {
    const numbers = { groups, outputs: out / groups, inputs, taps: elements(window), transposed }
    return this.#number(`packWeights ${JSON.stringify(numbers)}`, () => {
      const encoded = encode('packWeights', { ...ends, ...numbers }, () => nowhere)
      return layout('packWeights', kernelBytes('packWeights', 'packed', numbers), encoded)
    })
  }

  /** In panels of pairs. */
  integerPanels([out, inputs, ...window]: Shape, groups: number): number {
    const numbers = { groups, outputs: out / groups, inputs, taps: elements(window) }
    return this.#number(`packIntegerWeights ${JSON.stringify(numbers)}`, () => {
      const encoded = encode('packIntegerWeights', { ...ends, ...numbers }, () => nowhere)
      return layout('packIntegerWeights', kernelBytes('packIntegerWeights', 'packed', numbers), encoded)
    })
  }

  /** Of 3×3 windows, transformed, in panels. @param transposed for the gradient by the input */
  winograd([outputs, inputs]: Shape, transposed: boolean): number {
    const numbers = { inputs, outputs, transposed }
    return this.#number(`winogradWeights ${JSON.stringify(numbers)}`, () => {
      const encoded = encode('winogradWeights', { ...ends, ...numbers }, () => nowhere)
      return layout('winogradWeights', kernelBytes('winogradWeights', 'packed', numbers), encoded)
    })
  }

  /** Of depthwise convolutions: [taps, channels]. */
  byTap([channels, , ...window]: Shape): number {
    const taps = elements(window)
    return this.#number(`by tap ${channels} ${taps}`, () => {
      const walk = { dims: [taps, channels], strides: [1, taps], yStrides: [channels, 1] }
      const copied = { ...walk, fills: false, elements: taps * channels, offset: 0, yOffset: 0, fill: 0 } as const
      const fields = { x: nowhere, y: nowhere, type: 'float32', ...copied } as const
      return layout(
        'stridedCopy',
        4 * taps * channels,
        encode('stridedCopy', fields, () => nowhere),
      )
    })
  }

  bytesOf(layout: number): number {
    return this.#layouts[layout]!.bytes
  }

  /** Weights of other types are cast first. */
  reorders(dtype: DType): boolean {
    return dtype === 'float32' || dtype === 'int8'
  }

  /** State lies dense, so weights are packed, and never taken apart. */
  reorder(_from: number, to: number): Packing {
    return this.#layouts[to]!.packing
  }

  #number(key: string, make: () => Layout | undefined): number {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.#layouts.length)
    return this.#layouts.push(make()) - 1
  }
}
