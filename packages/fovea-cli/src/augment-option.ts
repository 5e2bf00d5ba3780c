/** @file `--augment`: names of augmentations, each with its most telling number where one is given: `cutmix=1,cutout=8`. */
import type { Augmentation } from 'fovea'
import { oneOf, UsageError } from './usage.js'

interface Row {
  /** What the number is, and what it is unless it is given. */
  readonly number?: { readonly about: string; readonly fallback: number }
  readonly augmentation: (number: number) => Augmentation
}

const rows = {
  'resized-crop': {
    number: { about: 'the least part of the area', fallback: 0.08 },
    augmentation: least => ({ resizedCrop: { scale: [least, 1] } }),
  },
  'rand-augment': {
    number: { about: 'the magnitude', fallback: 9 },
    augmentation: magnitude => ({ policy: { type: 'rand-augment', magnitude } }),
  },
  'trivial-augment': { augmentation: () => ({ policy: { type: 'trivial-augment' } }) },
  'color-jitter': {
    number: { about: 'of brightness, contrast and saturation', fallback: 0.4 },
    augmentation: x => ({ colorJitter: { brightness: x, contrast: x, saturation: x } }),
  },
  cutout: {
    number: { about: 'the side in pixels', fallback: 8 },
    augmentation: size => ({ erase: { type: 'cutout', size } }),
  },
  'random-erasing': {
    number: { about: 'the probability', fallback: 0.5 },
    augmentation: probability => ({ erase: { type: 'random-erasing', probability } }),
  },
  mixup: { number: { about: 'alpha', fallback: 0.2 }, augmentation: alpha => ({ mix: { type: 'mixup', alpha } }) },
  cutmix: { number: { about: 'alpha', fallback: 1 }, augmentation: alpha => ({ mix: { type: 'cutmix', alpha } }) },
} as const satisfies Record<string, Row>

type AugmentName = keyof typeof rows
const names = Object.keys(rows) as AugmentName[]

/** `cutmix[=alpha: 1], trivial-augment, …`, for help. */
export const aboutAugment = names
  .map(name => {
    const { number }: Row = rows[name]
    return number ? `${name}[=${number.about}: ${number.fallback}]` : name
  })
  .join(', ')

/** @throws UsageError for a name that is none, or a number that is none */
export function augmentList(text: string): string[] {
  const entries = text.split(',').map(entry => entry.trim())
  augmentationOf(entries)
  return entries
}

/** What the entries come to: they are put beside the recipe's augmentations, and replace those of their kind. */
export function augmentationOf(entries: readonly string[]): Augmentation {
  const all = entries.map(entry => {
    const [name, text] = entry.split('=')
    const row: Row = rows[oneOf('--augment', names)(name)]
    const value = text === undefined ? row.number?.fallback : Number(text)
    if (text !== undefined && (row.number === undefined || text.trim() === '' || !(Number(text) >= 0))) {
      const takes = row.number ? `a number of at least 0 (${row.number.about})` : 'no number'
      throw new UsageError(`--augment: ${name} takes ${takes}, not '${text}'`)
    }
    return row.augmentation(value ?? 0)
  })
  return Object.assign({}, ...all) as Augmentation
}
