/**
 * @file The engine in WebAssembly agrees with the float64 reference on every case of every operator, forward and backward, on one
 * thread and on several, in float32 and with the 16-bit types as storage, in plain and in relaxed SIMD.
 */
import { setFlagsFromString } from 'node:v8'
import { describe } from 'vitest'
import { agreesIn, agreesInFloat32, keepsWhatIsNoNumber } from '../../fovea/test/engines/conformance.js'
import { wasmEngine } from '../src/index.js'
import { hasRelaxedSimd } from '../src/module.js'

// Node 20 has it behind a flag.
if (!hasRelaxedSimd()) setFlagsFromString('--experimental-wasm-relaxed-simd')

const on = (threads: number) => () => wasmEngine({ threads, simd: 'plain' })

describe.each([1, 3])('float32, %i threads', threads => agreesInFloat32(on(threads)))

describe.each(['bfloat16', 'float16'] as const)('%s', half => agreesIn(half, on(2), 'wasm'))

describe('what is no number stays none', () => keepsWhatIsNoNumber(on(1)))

describe('float32, relaxed SIMD', () => agreesInFloat32(() => wasmEngine({ threads: 2, simd: 'relaxed' })))
