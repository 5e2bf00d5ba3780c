/**
 * @file How weights lie, by number: dense, as all state does, or packed as our convolutions read them (native/panels.h). Packing is
 * a step of the plan, done again when the weights change.
 */
import {
  type DType,
  elements,
  encode,
  type KernelName,
  kernelBytes,
  type Operand,
  type Primitive,
  type Shape,
  type TargetLayouts,
} from 'fovea/engine'

/** What a step that packs weights does. */
export interface Packing {
  readonly kernel: KernelName
  readonly ints: readonly number[]
  readonly floats: readonly number[]
}

interface Layout extends Packing {
  readonly bytes: number
}

/** What is in its place is of no account: numbers alone are taken. */
const nowhere: Operand = {
  buffer: { bytes: 0, state: false, perThread: false, zeroed: false, scratch: false, pendingReads: 0 },
  sliced: false,
}

export class Layouts implements TargetLayouts {
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
    return this.#number(`panels ${JSON.stringify(numbers)}`, () => ({
      bytes: kernelBytes('packWeights', 'packed', numbers),
      kernel: 'packWeights',
      ...encode('packWeights', { weight: nowhere, packed: nowhere, ...numbers }, () => nowhere),
    }))
  }

  /** In panels of pairs. */
  integerPanels([out, inputs, ...window]: Shape, groups: number): number {
    const numbers = { groups, outputs: out / groups, inputs, taps: elements(window) }
    return this.#number(`integer panels ${JSON.stringify(numbers)}`, () => ({
      bytes: kernelBytes('packIntegerWeights', 'packed', numbers),
      kernel: 'packIntegerWeights',
      ...encode('packIntegerWeights', { weight: nowhere, packed: nowhere, ...numbers }, () => nowhere),
    }))
  }

  /** Of 3×3 windows, transformed, in panels. @param transposed for the gradient by the input */
  winograd([outputs, inputs]: Shape, transposed: boolean): number {
    const numbers = { inputs, outputs, transposed }
    return this.#number(`winograd ${JSON.stringify(numbers)}`, () => ({
      bytes: kernelBytes('winogradWeights', 'packed', numbers),
      kernel: 'winogradWeights',
      ...encode('winogradWeights', { weight: nowhere, packed: nowhere, ...numbers }, () => nowhere),
    }))
  }

  /** Of depthwise convolutions: [taps, channels]. */
  byTap([channels, , ...window]: Shape): number {
    const taps = elements(window)
    return this.#number(`by tap ${channels} ${taps}`, () => {
      const walk = { dims: [taps, channels], strides: [1, taps], yStrides: [channels, 1] }
      const copied = { ...walk, fills: false, elements: taps * channels, offset: 0, yOffset: 0, fill: 0 } as const
      return {
        bytes: 4 * taps * channels,
        kernel: 'stridedCopy',
        ...encode('stridedCopy', { x: nowhere, y: nowhere, type: 'float32', ...copied }, () => nowhere),
      }
    })
  }

  bytesOf(layout: number): number {
    return this.packing(layout).bytes
  }

  /** Weights of other types are cast first. */
  reorders(dtype: DType): boolean {
    return dtype === 'float32' || dtype === 'int8'
  }

  /** State lies dense, so weights are packed, and never taken apart. */
  reorder(_from: number, to: number): Primitive {
    return { id: to, implementation: this.packing(to).kernel, scratchpadBytes: 0 }
  }

  /** What makes the weights of a layout of the dense ones. */
  packing(layout: number): Layout {
    return this.#layouts[layout]!
  }

  #number(key: string, make: () => Layout | undefined): number {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.#layouts.length)
    return this.#layouts.push(make()) - 1
  }
}
