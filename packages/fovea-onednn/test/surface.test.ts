/** @file Claims about what is given to the native engine in plain JavaScript: none ends in an accident. */
import { createModel } from 'fovea'
import { describe, expect, test } from 'vitest'
import { expectRefusals, functionsOf, optional, options, required } from '../../fovea/test/surface/mistakes.js'
import { refused } from '../../fovea/test/surface/refused.js'
import * as onednn from '../src/index.js'

const { onednnEngine, onednnStatus } = onednn
const { graph } = createModel('resnet8')

test('the functions', () => {
  expect(functionsOf(onednn)).toEqual(['onednnEngine', 'onednnStatus'])
})

describe('options', () => {
  test('whatever is given is refused in words', () => expectRefusals(onednnEngine, [options()]))

  test.each<[object, string]>([
    [{ thread: 2 }, "thread: unknown option; did you mean 'threads'?"],
    [{ threads: '2' }, "threads: expected a whole number from 1 to 512, got '2'"],
    [{ threads: 0 }, 'threads: expected a whole number from 1 to 512, got 0'],
    [{ threads: Number.NaN }, 'threads: expected a whole number from 1 to 512, got NaN'],
  ])('%o', (given, message) => refused(() => onednnEngine(given), message))
})

describe.runIf(onednnStatus().available)('a program', () => {
  test('is compiled of a graph', () => expectRefusals(onednnEngine().compile, [required(graph), options()]))

  test('is given arrays by name', async () => {
    const program = await onednnEngine({ threads: 1 }).compile(graph)
    await expectRefusals(program.run.bind(program), [
      required({ image: new Float32Array(32 * 32 * 3) }),
      optional(['logits'], 'an empty list'),
    ])
    await expectRefusals(program.read.bind(program), [required('conv1.weight')])
    await expectRefusals(program.write.bind(program), [required('conv1.weight'), required(new Float32Array(432))])
    program.dispose()
  })
})
