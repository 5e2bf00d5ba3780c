/** @file The models of models.test.ts that take longest. */
import { agreeInFloat32, deep, files } from '../../fovea/test/parity/torchvision.js'
import { wasmEngine } from '../src/index.js'

agreeInFloat32(
  'WebAssembly',
  () => wasmEngine({ threads: 2, simd: 'plain' }),
  files.filter(name => deep.test(name)),
)
