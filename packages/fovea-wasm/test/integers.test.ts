/**
 * @file Claims about convolutions in integers: their sums are those of the reference engine, number for number, beyond what a float
 * holds too; on one thread and on several, in plain and in relaxed SIMD. A bias takes away most of a sum, so that nothing hides what is lost.
 */
import { setFlagsFromString } from 'node:v8'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../fovea/src/engines/engine.js'
import { referenceEngine } from '../../fovea/src/engines/reference/reference.js'
import { elements } from '../../fovea/src/graph/types.js'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import type { Conv2dAttributes } from '../../fovea/src/ops/conv2d.js'
import { integerConv2d } from '../../fovea/src/ops/integer-conv2d.js'
import { wasmEngine } from '../src/index.js'
import { hasRelaxedSimd } from '../src/module.js'

// Node 20 has it behind a flag.
if (!hasRelaxedSimd()) setFlagsFromString('--experimental-wasm-relaxed-simd')

interface Layer {
  readonly name: string
  /** [images, height, width, channels]. */
  readonly x: readonly [number, number, number, number]
  readonly out: number
  readonly kernel: readonly [number, number]
  readonly attrs?: Partial<Conv2dAttributes> & { readonly zeroPoint?: number }
}

const layers: readonly Layer[] = [
  { name: '1×1', x: [2, 5, 7, 24], out: 16, kernel: [1, 1] },
  { name: '1×1, stride 2', x: [3, 7, 6, 10], out: 12, kernel: [1, 1], attrs: { stride: [2, 2] } },
  { name: '3×3', x: [2, 9, 8, 16], out: 24, kernel: [3, 3], attrs: { padding: [1, 1, 1, 1] } },
  {
    name: '3×3, stride 2, zero point',
    ...{ x: [2, 9, 8, 12], out: 20, kernel: [3, 3] },
    attrs: { stride: [2, 2], padding: [1, 0, 1, 2], zeroPoint: 131 },
  },
  {
    name: '7×7, 3 channels, stride 2, zero point',
    ...{ x: [1, 21, 19, 3], out: 64, kernel: [7, 7] },
    attrs: { stride: [2, 2], padding: [3, 3, 3, 3], zeroPoint: 255 },
  },
  {
    name: '13 channels, all windows reach beyond the image',
    ...{ x: [3, 2, 1, 13], out: 9, kernel: [5, 3], attrs: { padding: [2, 2, 1, 1], zeroPoint: 7 } },
  },
  {
    name: 'groups of an even number of channels, dilation',
    ...{ x: [2, 9, 11, 24], out: 18, kernel: [3, 3] },
    attrs: { padding: [2, 2, 2, 2], dilation: [2, 2], groups: 3, zeroPoint: 90 },
  },
  {
    name: 'groups of an odd number of channels',
    ...{ x: [2, 6, 5, 15], out: 40, kernel: [3, 3], attrs: { padding: [1, 1, 1, 1], groups: 5, zeroPoint: 1 } },
  },
  {
    name: 'dilation along one axis',
    ...{
      x: [1, 12, 13, 7],
      out: 11,
      kernel: [3, 2],
      attrs: { dilation: [1, 3], padding: [1, 1, 0, 3], zeroPoint: 40 },
    },
  },
  {
    name: 'one filter a channel, windows of 3×5',
    ...{ x: [2, 6, 9, 10], out: 10, kernel: [3, 5], attrs: { padding: [1, 1, 2, 2], groups: 10, zeroPoint: 200 } },
  },
  { name: 'a matrix', x: [65, 1, 1, 513], out: 10, kernel: [1, 1] },
  { name: 'sums beyond 2^24', x: [1, 6, 6, 256], out: 17, kernel: [3, 3], attrs: { padding: [1, 1, 1, 1] } },
]

/** The numbers of x and of weights, from a hash of their place; and what a product of them is about. */
const numbers = {
  'any numbers': { x: (hash: number) => hash % 256, weight: (hash: number) => (hash % 256) - 128, product: 0 },
  'large numbers': {
    x: (hash: number) => 200 + (hash % 56),
    weight: (hash: number) => 100 + (hash % 28),
    product: 25_800,
  },
}
const hash = (i: number, of: number): number => Math.imul(i + of, 0x9e3779b1) >>> 15

/** A layer, as float32 with a scale of 1: what is left of the sums. */
function graphOf({ x, out, kernel, attrs: given }: Layer) {
  const attrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1, largest: 128, ...given } as const
  const weight = [out, x[3] / attrs.groups, ...kernel]
  const builder = new GraphBuilder()
  const inputs = [
    builder.input('x', x, 'uint8'),
    builder.input('weight', weight, 'int8'),
    builder.constant(1, [out]),
    builder.input('bias', [out], 'int32'),
  ]
  builder.output('y', builder.emit(integerConv2d, inputs, attrs))
  return { graph: builder.build(), weight }
}

const engines = ([1, 3] as const).flatMap(threads =>
  (['plain', 'relaxed'] as const).map(simd => wasmEngine({ threads, simd })),
)

describe.each(Object.entries(numbers))('%s', (_, { x, weight, product }) => {
  test.each(layers)('$name', async layer => {
    const given = graphOf(layer)
    const feeds = {
      x: Uint8Array.from({ length: elements(layer.x) }, (_, i) => x(hash(i, 1))),
      weight: Int8Array.from({ length: elements(given.weight) }, (_, i) => weight(hash(i, 2))),
      bias: new Int32Array(layer.out).fill(-product * elements(given.weight.slice(1))),
    }
    const resultOn = async (engine: Engine) => {
      const program = await engine.compile(given.graph)
      const { y } = await program.run(feeds)
      program.dispose()
      return y
    }
    const expected = await resultOn(referenceEngine())
    for (const engine of engines) expect(await resultOn(engine), engine.description).toEqual(expected)
  })
})
