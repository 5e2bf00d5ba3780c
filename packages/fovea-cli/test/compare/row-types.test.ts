/** @file Claims about the types in which a row computes: a model in integers is told as such, and 7 bits are no 8. */
import {
  type Arithmetic,
  createModel,
  type Dataset,
  quantizeModel,
  quantizeWeights,
  referenceEngine,
  summarize,
} from 'fovea'
import { beforeAll, expect, test } from 'vitest'
import { floatOperators, floatOperatorsText } from '../../src/account/float-operators.js'
import { rowArithmetic, rowPrecision } from '../../src/compare/row-types.js'
import { planRows } from '../../src/compare/rows.js'
import { imageFolder } from '../../src/data/index.js'
import { colorFolder } from '../run-fovea.js'

const model = createModel('resnet8', { labels: ['blue', 'green', 'red'], input: [8, 8, 3] })
let integers: Record<7 | 8, typeof model>
let images: Dataset

beforeAll(async () => {
  images = (await imageFolder(await colorFolder({ train: 2, val: 1 }), { size: [8, 8] })).train
  const [of7, of8] = await Promise.all([7, 8].map(weightBits => quantizeModel(model, { images, weightBits })))
  integers = { 7: of7.model, 8: of8.model }
})

test('integers are the precision of a quantized model, and its policy where floats have one; weights alone change none', () => {
  expect(rowPrecision(integers[8], 'float32')).toBe('int8')
  expect(rowPrecision(integers[8], 'mixed_bfloat16')).toBe('int8, mixed_bfloat16')
  expect(rowPrecision(quantizeWeights(model), 'float32')).toBe('float32')
})

test('a policy makes a row of its own only where something computes as floats', async () => {
  const { model: partly } = await quantizeModel(model, { images, keepFloat32: ['fc'] })
  const rows = (of: typeof model) =>
    planRows([{ name: 'a', model: of, saved: true }], {
      ...{ precisions: ['float32', 'mixed_bfloat16'], seed: 0, inferenceOnly: true },
    }).map(({ label }) => label)
  expect(rows(integers[8])).toEqual(['a in int8'])
  expect(rows(partly)).toEqual(['a in int8', 'a in int8, mixed_bfloat16'])
  expect(rows(model)).toEqual(['a in float32', 'a in mixed_bfloat16'])
})

test('the engine says how it computes in them, by the bits of the weights', () => {
  const overflowing = {
    ...referenceEngine(),
    arithmetic: (type: string, bits = 8): Arithmetic => (type === 'int8' && bits > 7 ? 'widened' : 'native'),
  }
  expect(rowArithmetic(integers[8], 'float32', overflowing)).toBe('widened')
  expect(rowArithmetic(integers[7], 'float32', overflowing)).toBe('native')
  expect(rowArithmetic(model, 'float32', overflowing)).toBe('native')
})

test('what computes in float32 all the same is listed, of each kind no more than three', async () => {
  expect(floatOperators(summarize(integers[8]).layers)).toEqual([])
  const { model: partly } = await quantizeModel(model, { images, keepFloat32: ['fc'] })
  const found = floatOperators(summarize(partly).layers)
  expect(found).toEqual([
    { name: 'avgpool', op: 'globalAveragePool' },
    { name: 'fc', op: 'linear' },
  ])
  expect(floatOperatorsText(found)).toBe('globalAveragePool (avgpool), linear (fc)')
  const adds = ['a', 'b', 'c', 'd'].map(name => ({ name, op: 'add' }))
  expect(floatOperatorsText([...adds, ...found])).toBe('4 add (a, b, c, …), globalAveragePool (avgpool), linear (fc)')
})
