/** @file Activations of the 16-bit types, computed as precisely as these are, come to the number of the reference or to one beside it. */
import type { HalfType } from 'fovea/engine'
import { afterEach, describe, expect, test } from 'vitest'
import { decodeHalf, encodeHalf, roundArrayToHalf } from '../../fovea/src/graph/float16.js'
import { activationGradient, activations } from '../../fovea/src/ops/activation.js'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { cast } from '../../fovea/src/ops/cast.js'
import { ops } from '../../fovea/src/ops/index.js'
import { onednnEngine, onednnStatus } from '../src/index.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

afterEach(() => {
  delete process.env['FOVEA_ISA']
})

/** What is lost where a difference is all but nothing, as in the tail of GELU: of float32, and of a reciprocal that is estimated. */
const [single, estimate] = [4e-7, 2 ** -14]

/** Each number of a type, but those that are not finite. */
const everyNumber = (dtype: HalfType): Float32Array =>
  decodeHalf(
    Uint16Array.from({ length: 65536 }, (_, i) => i),
    dtype,
  ).filter(x => Number.isFinite(x))

/** How many of the type's numbers lie between two of them. */
function apart(a: number, b: number, dtype: HalfType): number {
  const places = [...encodeHalf([a, b], dtype)].map(bits => (bits & 0x8000 ? -(bits & 0x7fff) : bits))
  return Math.abs(places[0] - places[1])
}

describe.skipIf(!available).each(['avx512_bf16', 'avx512', 'avx2', 'generic'])('%s', isa => {
  describe.each(['bfloat16', 'float16'] as const)('%s', dtype => {
    test.each(['silu', 'gelu', 'sigmoid'] as const)('%s and its derivative', async name => {
      process.env['FOVEA_ISA'] = isa
      const x = everyNumber(dtype)
      const builder = new GraphBuilder()
      const input = builder.emit(cast, [builder.input('x', [x.length])], { dtype })
      const ones = builder.emit(cast, [builder.input('ones', [x.length])], { dtype })
      const outputs = {
        value: builder.emit(ops[name], [input], {}),
        derivative: builder.emit(activationGradient, [ones, input], { activation: name }),
      }
      for (const [of, y] of Object.entries(outputs)) {
        builder.output(of, builder.emit(cast, [y], { dtype: 'float32' }))
      }
      const program = await onednnEngine({ threads: 2 }).compile(builder.build())
      const results = await program.run({ x, ones: x.slice().fill(1) })
      program.dispose()
      for (const of of ['value', 'derivative'] as const) {
        const expected = Float32Array.from(x, activations[name][of])
        roundArrayToHalf(expected, dtype)
        const lost = of === 'derivative' && dtype === 'bfloat16' ? estimate : single
        const worse = [...(results[of] as Float32Array)].flatMap((y, i) =>
          Math.abs(y - expected[i]) <= lost * Math.max(1, Math.abs(x[i])) || apart(y, expected[i], dtype) <= 1
            ? []
            : [`${name} of ${x[i]}: ${y}, not ${expected[i]}`],
        )
        expect(worse.slice(0, 5)).toEqual([])
      }
    })
  })
})
