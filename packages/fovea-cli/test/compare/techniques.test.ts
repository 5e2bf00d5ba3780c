/** @file Claims about what can be read off a model: what was done to it, and what it was made from. */
import { createModel, pruneChannels, pruneWeights, quantizeWeights } from 'fovea'
import { describe, expect, test } from 'vitest'
import { foldNorms } from '../../../fovea/src/compress/fold-norms.js'
import { originalOf, reductionOf, techniqueText } from '../../src/compare/techniques.js'

const small = { classes: 3, input: [16, 16, 3] } as const
const model = createModel('resnet8', small)
const parameters = reductionOf(model, model).kept

describe('the original of a model', () => {
  test('is the architecture of its name, for its images and classes', async () => {
    const { model: pruned } = await pruneChannels(model, { amount: 0.5 })
    expect(reductionOf(originalOf(pruned, [pruned]), model)).toMatchObject({ kept: parameters, removed: 0 })
  })

  test('of a name that is no architecture’s, is the first of that name', async () => {
    const own = { ...model, name: 'mine' }
    const { model: pruned } = await pruneChannels(own, { amount: 0.5 })
    expect(originalOf(pruned, [createModel('cnn', { input: [32, 32, 3] }), own, pruned])).toBe(own)
    expect(originalOf(own, [pruned, own]), 'a smaller one is none').toBe(own)
  })

  test('is the model itself where the architecture takes no such images, or is smaller', () => {
    const other = createModel('resnet20', small)
    for (const name of ['speednet', 'resnet8']) {
      const named = { ...other, name, preprocessing: { ...other.preprocessing, size: [4, 4, 3] as const } }
      expect(originalOf(named as typeof model, [])).toBe(named)
    }
  })
})

test.each([
  ['whose layers have biases', model],
  ['whose layers get biases by it', createModel('resnet20', small)],
])(
  'norms that were folded are told from what was pruned, of what is left of the channels: a model %s',
  async (_, model) => {
    const { model: pruned } = await pruneChannels(model, { amount: 0.5 })
    expect(reductionOf(pruned, model).folded).toBe(0)
    const [alone, both] = [foldNorms(model), foldNorms(pruned)]
    expect(reductionOf(alone, model)).toMatchObject({ folded: reductionOf(alone, model).removed, techniques: [] })
    const { removed, folded } = reductionOf(both, model)
    expect(removed - folded).toBe(reductionOf(pruned, model).removed)
  },
)

test('what was done follows from numbers and types, and is told with how much of it', async () => {
  const { model: sparse } = await pruneWeights(model, { amount: 0.75 })
  const { model: narrow } = await pruneChannels(sparse, { amount: 0.3 })
  const text = (of: typeof model): string => techniqueText(reductionOf(of, model).techniques)
  expect(text(model)).toBe('')
  expect(text(sparse)).toBe('weights −75 %')
  expect(text(narrow)).toMatch(/^channels −\d\d %, weights −\d\d %$/)
  expect(text(quantizeWeights(model))).toBe('int8 weights')
  expect(text(quantizeWeights(sparse, { type: 'float16' }))).toBe('weights −75 %, float16 weights')
})
