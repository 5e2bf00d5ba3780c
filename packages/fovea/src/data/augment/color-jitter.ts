/** @file Colour jitter: brightness, contrast, saturation and hue, each changed at random, in a random order. */
import { randomAt, randomKey } from '../../random.js'
import { group, type Rows, type ValueOf } from '../../settings/group.js'
import { number } from '../../settings/kinds.js'
import type { ImageBuffer } from './image-buffer.js'
import { passKey, type TrainingPass } from './keys.js'
import { brightness, contrast, hue, saturation } from './tone.js'

/** How far each may change; as torchvision's ColorJitter. What is not given does not change. */
export interface ColorJitterOptions {
  /** By a factor from 1 − this (but at least 0) to 1 + this. */
  readonly brightness?: number
  /** As brightness. */
  readonly contrast?: number
  /** As brightness. */
  readonly saturation?: number
  /** By −this to this of the wheel of hues; at most 0.5. */
  readonly hue?: number
}

const factor = (of: string) => number(`how far ${of} changes`, { from: 0 }).default(0)

/** The table of `ColorJitterOptions`. */
export const colorJitterSetting = group('brightness, contrast, saturation and hue', {
  brightness: factor('brightness'),
  contrast: factor('contrast'),
  saturation: factor('saturation'),
  hue: number('how far hues turn', { from: 0, to: 0.5 }).default(0),
} satisfies Rows<ColorJitterOptions>)

const names = ['brightness', 'contrast', 'saturation', 'hue'] as const

/** @returns changes the image by what an image's index draws */
export function randomColorJitter(
  options: ValueOf<typeof colorJitterSetting>,
  pass: TrainingPass,
): (index: number, image: ImageBuffer) => void {
  const key = passKey('colour jitter', pass)
  const operations = [brightness, contrast, saturation, hue]
  const amounts = names.map(name => options[name])
  const order = new Uint8Array(names.length)
  return (index, image) => {
    const own = randomKey(key, index)
    for (let i = 0; i < order.length; i++) {
      const j = Math.floor(randomAt(own, i) * (i + 1))
      order[i] = order[j]
      order[j] = i
    }
    for (const operation of order) {
      const amount = amounts[operation]
      if (amount === 0) continue
      const change = amount * (2 * randomAt(own, names.length + operation) - 1)
      operations[operation](image, names[operation] === 'hue' ? change : Math.max(0, 1 + change))
    }
  }
}
