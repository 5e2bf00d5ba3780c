/** @file Settings that several augmentations have. */
import { SettingError } from '../../errors.js'
import { describeValue } from '../../settings/describe.js'
import { number, type Range, tuple } from '../../settings/kinds.js'

/** From one positive number to another, which is not lower. */
export const interval = (about: string, range: Pick<Range, 'to'> = {}) =>
  tuple(about, ['low', 'high'], number('an end', { above: 0, ...range })).refine(([low, high], path) => {
    if (low > high) throw new SettingError(path, `expected the lower number first, got ${describeValue([low, high])}`)
  })
