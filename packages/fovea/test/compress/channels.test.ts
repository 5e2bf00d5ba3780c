/**
 * @file Channels of whole networks can be left out along what operators say of their axes: through residual additions,
 * padded shortcuts, depthwise convolutions, squeeze-and-excitation and flattened images.
 */
import { describe, expect, test } from 'vitest'
import { ChannelGroups } from '../../src/compress/channel-groups.js'
import { keptState, withoutChannels } from '../../src/compress/remove-channels.js'
import type { HostArray } from '../../src/graph/arrays.js'
import { createModel } from '../../src/models/registry.js'
import { parameterCount } from '../../src/models/summary.js'
import { normalAt, randomKey, streamOf } from '../../src/random.js'
import { aThird, logits, relativeError, zeroed } from './leave-out.js'

/** Biases and statistics away from the zeros and ones that they start at. */
const away = (name: string, values: HostArray): HostArray =>
  values.length > 2048
    ? values
    : values.map((x: number, i: number) => x + 0.1 * normalAt(randomKey(1, streamOf(name)), i) ** 2)

/** EfficientNet-B0's table 1: [input channels of a block, expansion, blocks]. */
const blocks = [
  [16, 6, 1],
  [24, 6, 2],
  [40, 6, 2],
  [80, 6, 3],
  [112, 6, 3],
  [192, 6, 4],
]
const expandedAndSqueezed = blocks.reduce((sum, [inputs, factor, count]) => sum + count * (factor + 1 / 4) * inputs, 0)

/** How many groups of channels may be left out, counted by hand from the papers' tables. */
const cases = [
  // The stream of 16 channels, which padded shortcuts carry into 32 and 64, and inside each of nine blocks.
  { name: 'resnet20', size: 32, count: 16 + 16 + 32 + 3 * (16 + 32 + 64) },
  // A stream and the inside of a block in each stage: the shortcuts between stages are convolutions.
  { name: 'resnet8', size: 32, count: 2 * (16 + 32 + 64) },
  { name: 'cnn', size: 32, count: 32 + 64 + 64 + 512 },
  { name: 'speednet', size: 32, count: 24 + 2 * (64 + 256 + 256) },
  // Stem and head, a stream in each stage, the first block's squeezed channels, and the other blocks.
  {
    name: 'efficientnet-b0',
    size: 16,
    count: 32 + 1280 + (16 + 24 + 40 + 80 + 112 + 192 + 320) + 8 + expandedAndSqueezed,
  },
]

describe.each(cases)('$name', ({ name, size, count }) => {
  const model = createModel(name, { classes: 10, input: [size, size, 3] })
  const { graph } = model
  const groups = new ChannelGroups(graph)

  test('has the groups of channels that its paper gives', () => {
    expect(groups.sets.reduce((sum, { channels }) => sum + channels.length, 0)).toBe(count)
  })

  test('gives the same without a third of them as with zeros in their place', async () => {
    const weights = new Map([...model.weights].map(([key, values]) => [key, away(key, values)]))
    const out = aThird(groups)
    const smaller = withoutChannels(groups, out)
    expect(parameterCount(smaller)).toBeLessThan(0.7 * parameterCount(graph))
    const expected = await logits(graph, zeroed(groups, weights, out))
    const actual = await logits(smaller, keptState(groups, weights, out))
    expect(relativeError(expected, actual)).toBeLessThan(1e-9)
  })
})
