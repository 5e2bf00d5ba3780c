/** @file A model's weights as safetensors, for PyTorch. */
import { encodeWeights } from 'fovea'
import { writeFileAtomic } from '../files.js'
import type { ExportFormat } from './formats.js'

export const safetensors: ExportFormat = {
  about: 'the weights alone, for PyTorch: under the names of torchvision, or those that --names says',
  takes: ['names'],
  files: out => [out],
  async write({ model, out, names }) {
    const chunks = encodeWeights(model, names && { names })
    await writeFileAtomic(out, chunks)
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    return { bytes, said: 'weights alone: labels and normalization are not in it' }
  },
}
