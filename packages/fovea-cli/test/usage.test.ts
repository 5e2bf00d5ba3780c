/** @file Claims about what options accept, and what is said of the rest. */
import { expect, test } from 'vitest'
import { inputSize, oneOf, positiveNumber, precision, UsageError, wholeNumber } from '../src/usage.js'

test('numbers are read whole or refused with the option and the range', () => {
  expect(wholeNumber('--epochs', 1)('10')).toBe(10)
  for (const wrong of ['0', '-1', '1.5', '', 'ten', '1e400']) {
    expect(() => wholeNumber('--epochs', 1)(wrong)).toThrow(
      `--epochs takes a whole number of at least 1, not '${wrong}'`,
    )
  }
  expect(wholeNumber('--classes', 2, 100_000)('100000')).toBe(100_000)
  expect(() => wholeNumber('--classes', 2, 100_000)('100001')).toThrow(
    "--classes takes a whole number from 2 to 100,000, not '100001'",
  )
  expect(positiveNumber('--learning-rate')('1e-3')).toBe(0.001)
  expect(() => positiveNumber('--learning-rate')('0')).toThrow(UsageError)
})

test('an image size is height, width and 1 or 3 channels', () => {
  expect(inputSize('32x48x1')).toEqual([32, 48, 1])
  expect(inputSize('224x224')).toEqual([224, 224, 3])
  for (const wrong of ['32', '32x32x4', '0x32x3', 'axb', '32x32x3x1']) {
    expect(() => inputSize(wrong)).toThrow('--input takes HEIGHTxWIDTHxCHANNELS')
  }
})

test('a misspelt choice is answered with the nearest and with all', () => {
  expect(() => oneOf('--engine', ['onednn', 'reference'])('onednm')).toThrow(
    "--engine: unknown 'onednm'; did you mean 'onednn'?",
  )
})

test('a precision that has a name but is not available says what is', () => {
  expect(precision(['float32'])('float32')).toBe('float32')
  expect(() => precision(['float32'])('mixed_bfloat16')).toThrow('computes in float32')
})
