/** @file `--augment`: names of augmentations, each with its most telling number where one is given: `cutmix=1,cutout=8`. */
import type { Augmentation } from 'fovea'
import { commaList, oneOf, UsageError } from './usage.js'

interface Row {
  /** What the number is, what it is unless it is given, the most it may be, and whether it may be 0. */
  readonly number?: { readonly about: string; readonly fallback: number; readonly most?: number; readonly zero?: true }
  readonly augmentation: (number: number) => Augmentation
}

const rows = {
  'resized-crop': {
    number: { about: 'the smallest part of the area', fallback: 0.08, most: 1 },
    augmentation: least => ({ resizedCrop: { scale: [least, 1] } }),
  },
  'rand-augment': {
    number: { about: 'the magnitude', fallback: 9, most: 30, zero: true },
    augmentation: magnitude => ({ policy: { type: 'rand-augment', operations: 2, magnitude } }),
  },
  'trivial-augment': { augmentation: () => ({ policy: { type: 'trivial-augment' } }) },
  'color-jitter': {
    number: { about: 'the change of brightness, contrast and saturation', fallback: 0.4 },
    augmentation: x => ({ colorJitter: { brightness: x, contrast: x, saturation: x } }),
  },
  cutout: {
    number: { about: 'the side in pixels', fallback: 8 },
    augmentation: size => ({ erase: { type: 'cutout', size } }),
  },
  'random-erasing': {
    number: { about: 'the probability', fallback: 0.5, most: 1 },
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
  const entries = commaList(text)
  augmentationOf(entries)
  return entries
}

/** What the entries come to: they are put beside the recipe's augmentations, and replace those of their kind. */
export function augmentationOf(entries: readonly string[]): Augmentation {
  const all = entries.map(entry => {
    const [name, ...rest] = entry.split('=')
    const row: Row = rows[oneOf('--augment', names)(name)]
    if (rest.length === 0) return row.augmentation(row.number?.fallback ?? 0)
    return row.augmentation(numberOf(name, row, rest.join('=')))
  })
  for (const [i, augmentation] of all.entries()) {
    const [kind] = Object.keys(augmentation)
    const other = all.findIndex(before => kind in before)
    if (other < i) {
      throw new UsageError(`--augment: '${entries[other]}' and '${entries[i]}' are of one kind (${kind}): give one`)
    }
  }
  return Object.assign({}, ...all) as Augmentation
}

function numberOf(name: string, { number }: Row, text: string): number {
  const value = Number(text)
  if (number === undefined) throw new UsageError(`--augment: ${name} takes no number, not '${text}'`)
  const { about, most = Number.POSITIVE_INFINITY, zero = false } = number
  if (text.trim() !== '' && value <= most && Number.isFinite(value) && (value > 0 || (zero && value === 0)))
    return value
  const range = `${zero ? 'of at least 0' : 'above 0'}${Number.isFinite(most) ? ` and at most ${most}` : ''}`
  throw new UsageError(`--augment: ${name} takes a number ${range} (${about}), not '${text}'`)
}
