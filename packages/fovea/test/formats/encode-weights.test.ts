/** @file Claims about weights written for PyTorch's libraries: they have their names and come back; what no model of theirs takes is refused. */
import { describe, expect, test } from 'vitest'
import { pruneChannels } from '../../src/compress/prune-channels.js'
import { quantizeWeights } from '../../src/compress/quantize-weights.js'
import { encodeWeights } from '../../src/formats/encode-weights.js'
import { importWeights } from '../../src/formats/import-weights.js'
import { openWeights } from '../../src/formats/registry.js'
import type { NamingName } from '../../src/formats/weight-names.js'
import type { HostArray } from '../../src/graph/arrays.js'
import { createModel } from '../../src/models/registry.js'
import { stateDicts } from './state-dicts.js'

const small = { input: [32, 32, 3], classes: 10 } as const
const bytesOf = (values: HostArray | undefined): Buffer => Buffer.from((values ?? new Uint8Array()).buffer)
const written = (...arguments_: Parameters<typeof encodeWeights>) => Buffer.concat(encodeWeights(...arguments_))

test.each(stateDicts.filter(([name]) => ['resnet20', 'resnet18', 'efficientnet-b0'].includes(name)))(
  "%s under %s's names",
  (name, library, shapes) => {
    const model = createModel(name, { ...small, seed: 5 })
    const file = written(model, { names: library as NamingName })
    const names = [...shapes.keys()].filter(key => !key.endsWith('num_batches_tracked'))
    expect([...openWeights('w', file).tensors.keys()].sort()).toEqual(names.sort())
    const { weights } = importWeights(openWeights('w', file), name, { input: small.input }).model
    // Millions of numbers: comparing them one by one would take minutes.
    const differ = [...model.weights].filter(
      ([key, values]) => !Buffer.from(values.buffer).equals(bytesOf(weights.get(key))),
    )
    expect(differ.map(([key]) => key)).toEqual([])
  },
)

test('any model under our own names', () => {
  const model = createModel('cnn')
  expect([...openWeights('w', written(model)).tensors.keys()]).toEqual([...model.weights.keys()])
})

describe('refused', () => {
  const b0 = createModel('efficientnet-b0', small)
  test.each<[string, () => unknown, string]>([
    [
      'a model that the library does not have',
      () => encodeWeights(createModel('cnn'), { names: 'timm' }),
      'timm has no cnn',
    ],
    [
      'integers',
      () => encodeWeights(quantizeWeights(b0), { names: 'timm' }),
      "it is no longer timm's efficientnet-b0: they differ in",
    ],
    [
      'norms that are computed otherwise',
      () => encodeWeights(createModel('efficientnet-b5', small), { names: 'timm' }),
      "the norms of timm's efficientnet-b5 add 0.00001 to the variance, these add 0.001",
    ],
  ])('%s', (_, encode, message) => {
    expect(encode).toThrow(message)
  })

  test('pruned channels', async () => {
    const { model } = await pruneChannels(createModel('resnet20', small), { amount: 0.5 })
    expect(() => encodeWeights(model, { names: 'akamaster' })).toThrow("it is no longer akamaster's resnet20: '")
  })
})
