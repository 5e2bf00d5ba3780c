/**
 * @file Models against torchvision's results: all but the deepest on the native engine in float32, one of each family on the
 * reference engine in float64.
 */
import { describe, expect, test } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { measureParity } from '../../src/parity/measure.js'
import { parseParityFile } from '../../src/parity/parity-file.js'
import { agreeNatively, deep, files, folder, read } from './torchvision.js'

test('the reference files are there', context => {
  context.skip(files.length === 0, `no reference results in ${folder}`)
  expect(files.length).toBeGreaterThan(0)
})

agreeNatively(files.filter(name => !deep.test(name)))

const oracles = ['resnet18', 'resnet18_train', 'efficientnet_b0', 'efficientnet_b0_train'].map(name => `${name}.json`)

describe.each(oracles.filter(name => files.includes(name)))('reference engine in float64: %s', name => {
  test('everything within 1e-6', async () => {
    const { maxLogitError, ...report } = await measureParity(read(name), referenceEngine({ precision: 'float64' }))
    const { maxGradientError = 0, lossError = 0, maxRunningError = 0 } = report
    for (const error of [maxLogitError, maxGradientError, lossError, maxRunningError]) expect(error).toBeLessThan(1e-6)
    expect(name.includes('train')).toBe(report.maxGradientError !== undefined)
  })
})

test('a file that is no parity file is refused with the field', () => {
  const whole = { model: 'resnet18', batch: 1, size: 64, classes: 2, parameters: 1, logits: [[0, 1]], float32: {} }
  expect(() => parseParityFile([])).toThrow('the file must be an object')
  expect(() => parseParityFile({ ...whole, batch: 0 })).toThrow('batch must be a whole number of at least 1')
  expect(() => parseParityFile({ ...whole, logits: [[0]] })).toThrow('logits must be 1 lists of 2 numbers')
  expect(() => parseParityFile({ ...whole, loss: 1, gradients: { w: {} }, running: {} })).toThrow('gradients.w.norm')
})
