/**
 * @file Test-time augmentation: an image is shown several times, mirrored and shifted, and the logits are averaged. Costs
 * as many evaluations as there are views, and is to be reported beside the accuracy without it.
 */
import type { View } from '../data/dataset.js'
import { unknownName } from '../errors.js'

/** What an image is shown as; the names are the levels 0 to 2 of Jordan 2024 (arXiv 2404.00498), section 3.5. */
export const testTimeAugmentations = ['none', 'mirror', 'mirror-and-shift'] as const
export type TestTimeAugmentation = (typeof testTimeAugmentations)[number]

/** A view, and its weight in the mean of the logits. */
export interface WeightedView extends View {
  readonly weight: number
}

/** The image and its mirror image, sharing the weight. */
const mirrored = (shift: readonly [number, number], weight: number): WeightedView[] =>
  [false, true].map(flip => ({ shift, flip, weight: weight / 2 }))

const views: Readonly<Record<TestTimeAugmentation, readonly WeightedView[]>> = {
  none: [{ shift: [0, 0], flip: false, weight: 1 }],
  mirror: mirrored([0, 0], 1),
  'mirror-and-shift': [...mirrored([0, 0], 0.5), ...mirrored([-1, -1], 0.25), ...mirrored([1, 1], 0.25)],
}

/** @throws InvalidArgumentError for an unknown name */
export function viewsOf(augmentation: TestTimeAugmentation): readonly WeightedView[] {
  if (!Object.hasOwn(views, augmentation)) {
    throw unknownName('test-time augmentation', String(augmentation), testTimeAugmentations)
  }
  return views[augmentation]
}
