/** @file The claim that no changed file harms a reader of weights: some hundred of each; `npm run test:long` tries them for an hour. */
import { test } from 'vitest'
import { changedFile, readAll, readers } from './fuzz-weights.js'

test.each(Object.keys(readers))('%s', reader => {
  for (let number = 0; number < 400; number++) readAll(changedFile(reader, 1, number))
})
