/**
 * @file Models against torchvision's results: on the native engine in float32, and one of each family on the reference
 * engine in float64. parity.long.test.ts has those that take longest.
 */
import { expect, test } from 'vitest'
import { parseParityFile } from '../../src/parity/parity-file.js'
import { agreeInFloat64, agreeNatively, deep, files, folder } from './torchvision.js'

test('the reference files are there', context => {
  context.skip(files.length === 0, `no reference results in ${folder}`)
  expect(files.length).toBeGreaterThan(0)
})

agreeNatively(files.filter(name => !deep.test(name)))

agreeInFloat64(['resnet18.json', 'efficientnet_b0.json', 'efficientnet_b0_train.json'])

test('a file that is no parity file is refused with the field', () => {
  const whole = { model: 'resnet18', batch: 1, size: 64, classes: 2, parameters: 1, logits: [[0, 1]], float32: {} }
  expect(() => parseParityFile([])).toThrow('the file must be an object')
  expect(() => parseParityFile({ ...whole, batch: 0 })).toThrow('batch must be a whole number of at least 1')
  expect(() => parseParityFile({ ...whole, logits: [[0]] })).toThrow('logits must be 1 lists of 2 numbers')
  expect(() => parseParityFile({ ...whole, loss: 1, gradients: { w: {} }, running: {} })).toThrow('gradients.w.norm')
})
