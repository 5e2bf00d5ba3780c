/** @file What SiLU and GELU give far below zero, and their gradients, are no subnormal numbers, with which processors compute many times slower: WebAssembly cannot switch them off. */
import { expect, test } from 'vitest'
import { GraphBuilder } from '../../fovea/src/ops/builder.js'
import { ops } from '../../fovea/src/ops/index.js'
import { wasmEngine } from '../src/index.js'

const size = 4096
const smallestNormal = 2 ** -126

test.each(['silu', 'gelu', 'sigmoid'] as const)('%s', async name => {
  const builder = new GraphBuilder()
  const x = builder.input('x', [size])
  builder.output('value', builder.emit(ops[name], [x], {}))
  builder.output(
    'gradient',
    builder.emit(ops.activationGradient, [builder.input('dy', [size]), x], { activation: name }),
  )
  const program = await wasmEngine({ threads: 1 }).compile(builder.build())
  const feeds = { x: Float32Array.from({ length: size }, (_, i) => -i / 16), dy: new Float32Array(size).fill(1e-6) }
  for (const values of Object.values(await program.run(feeds))) {
    expect(Array.from(values).filter(value => value !== 0 && Math.abs(value) < smallestNormal)).toEqual([])
  }
  program.dispose()
})
