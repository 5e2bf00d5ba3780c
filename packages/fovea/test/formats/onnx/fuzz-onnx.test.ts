/** @file The claim that no changed ONNX file harms its reader: some hundred; `npm run test:long` tries them for ten minutes. */
import { expect, test } from 'vitest'
import { changedOnnx, readOnnx } from './fuzz-onnx.js'

test('a changed ONNX file is read or refused in one line', () => {
  const answers = new Map<string, number>()
  for (let number = 0; number < 300; number++) {
    const answer = readOnnx(changedOnnx(1, number))
    answers.set(answer, (answers.get(answer) ?? 0) + 1)
  }
  // Neither all that is changed is refused, nor all of it read: both ways are walked.
  expect(answers.get('read')).toBeGreaterThan(20)
  expect(answers.get('refused')).toBeGreaterThan(20)
})
