/** @file In what a model that was made smaller is slower than its original, and what to try then. */
import type { ComparedModel } from '../compare/rows.js'
import type { TechniqueName } from '../compare/techniques.js'

/** The time for one image, or images a second, many at a time. */
export type Speed = 'latency' | 'throughput'

type Timed = Pick<ComparedModel, 'latencyMs' | 'throughput' | 'techniques' | 'arithmetic'>

/** Smaller differences of medians may be those of a busy machine. */
const TOLERANCE = 1.1

/** How many times as long it takes as the original. */
const longer: Readonly<Record<Speed, (before: Timed, after: Timed) => number>> = {
  latency: (before, after) => after.latencyMs / before.latencyMs,
  throughput: (before, after) => before.throughput.imagesPerSecond / after.throughput.imagesPerSecond,
}

/** In what it takes more than a tenth longer. */
export const slowerIn = (before: Timed, after: Timed): Speed[] =>
  (['latency', 'throughput'] as const).filter(speed => longer[speed](before, after) > TOLERANCE)

/** In words: `one image takes 1.20× as long, many images take 1.15× as long` */
export function slowerText(before: Timed, after: Timed): string {
  const times = (speed: Speed): string => `${longer[speed](before, after).toFixed(2)}×`
  return slowerIn(before, after)
    .map(speed => `${speed === 'latency' ? 'one image takes' : 'many images take'} ${times(speed)} as long`)
    .join(', ')
}

/** A sentence for people; none for a model that is not slower. */
export const slowerNotes = (before: Timed, after: Timed): string[] =>
  slowerIn(before, after).length === 0
    ? []
    : [`slower than the original on this machine: ${slowerText(before, after)}. ${whatToTry(after)}`]

function whatToTry({ techniques, arithmetic }: Timed): string {
  const names = techniques.map(({ name }): TechniqueName => name)
  if (names.includes('int8')) {
    return arithmetic === 'widened'
      ? 'Integers compute in float32 here. Try quantize --method weights: as small, in the time of the original.'
      : 'Integers gain least in small and depthwise layers. Try quantize --keep-float32 with some of these, or --method weights: as small, in the time of the original.'
  }
  return names.includes('channels')
    ? 'Try a larger --amount, or --multiple-of 16: kernels work on many channels at a time.'
    : 'Only fewer channels make a model faster: prune --method channels.'
}
