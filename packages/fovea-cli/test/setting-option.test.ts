/** @file Claims about options that are settings of the library: text, values and what is said of others are those of its table. */
import { expect, test } from 'vitest'
import { settingOption } from '../src/setting-option.js'

test.each([
  ['batchSize', '--batch <n>', "images per step (default: the recipe's)"],
  [
    'clipNorm',
    '--clip-norm <x>',
    "the largest norm of all gradients together; larger ones are scaled down (default: the recipe's)",
  ],
] as const)('%s has a name, a kind of value, and what holds without it', (name, flags, description) => {
  expect(settingOption(name, "the recipe's")).toMatchObject({ flags, description })
})

test.each([
  ['epochs', '10', 10],
  ['learningRate', '1e-3', 0.001],
  ['precision', 'mixed_bfloat16', 'mixed_bfloat16'],
  ['memory', 'low', 'low'],
  ['keepFloat32', 'conv1, layer1.*', ['conv1', 'layer1.*']],
] as const)('%s takes %s', (name, text, value) => {
  expect(settingOption(name).parseArg?.(text, undefined)).toEqual(value)
})

test.each([
  ['epochs', '0', "--epochs takes a whole number of at least 1, not '0'"],
  ['clipNorm', 'Infinity', "--clip-norm takes a number above 0, not 'Infinity'"],
  ['recipe', 'fats', "--recipe: unknown 'fats'; did you mean 'fast'?"],
  ['precision', 'mixed_float61', "--precision: unknown 'mixed_float61'; did you mean 'mixed_float16'?"],
  ['precision', 'float64', '--precision float64 is not available here'],
  [
    'freeze',
    'a,,b',
    "--freeze takes patterns over names of parameters, separated by commas: 'conv1,layer1.*', not 'a,,b'",
  ],
] as const)('%s does not take %s', (name, text, message) => {
  expect(() => settingOption(name).parseArg?.(text, undefined)).toThrow(message)
})
