/** @file What `fovea compress --target` asks for: parts of the original's latency and bytes, and the accuracy that may be lost. */
import { commaList, type OptionParser, UsageError } from '../usage.js'

/** At most so large a part of the original's; or so many points of accuracy, at most 0, that may be lost. */
export type Target = SizeTarget | { readonly kind: 'accuracy'; readonly least: number }

export interface SizeTarget {
  readonly kind: 'latency' | 'bytes'
  readonly most: number
}

/** Parts of the original's latency and file, as far as they are known. */
export type Sizes = { readonly [K in SizeTarget['kind']]?: number }

/** The option as it was written, once it is known to be right. */
export const targetList: OptionParser<string[]> = text => {
  const entries = commaList(text)
  targetsOf(entries)
  return entries
}

/** @throws UsageError for an entry of another form, and for two of a kind */
export function targetsOf(entries: readonly string[]): Target[] {
  const targets = entries.map(targetOf)
  const kinds = targets.map(({ kind }) => kind)
  const twice = kinds.find((kind, i) => kinds.indexOf(kind) < i)
  if (twice !== undefined) throw new UsageError(`--target has ${twice} twice`)
  return targets
}

function targetOf(entry: string): Target {
  const size = /^(latency|bytes)=(\d+(?:\.\d+)?|\.\d+)x$/.exec(entry)
  if (size !== null) {
    const most = Number(size[2])
    if (most > 0 && most < 1) return { kind: size[1] as 'latency' | 'bytes', most }
    throw new UsageError(
      `--target ${size[1]} takes a part of the original's above 0 and below 1, such as 0.5x, not ${size[2]}x`,
    )
  }
  const accuracy = /^accuracy>=(-?\d+(?:\.\d+)?)$/.exec(entry)
  if (accuracy !== null) {
    const least = Number(accuracy[1])
    if (least <= 0 && least >= -100) return { kind: 'accuracy', least }
    throw new UsageError(`--target accuracy takes points from -100 to 0, such as 'accuracy>=-0.5', not ${accuracy[1]}`)
  }
  throw new UsageError(
    `--target takes latency=0.5x, bytes=0.1x or 'accuracy>=-0.5' (in quotes: to a shell, > means a file), or several between commas, not '${entry}'`,
  )
}

/** As it is written. */
export const targetText = (target: Target): string =>
  target.kind === 'accuracy' ? `accuracy>=${target.least}` : `${target.kind}=${target.most}x`

/** The targets of size that a model of these sizes misses. @throws Error for a size that is asked for and not known */
export const missedSizes = (targets: readonly Target[], sizes: Sizes): SizeTarget[] =>
  sizeTargets(targets).filter(target => !(sizeOf(sizes, target) <= target.most))

/** Of the kind that a target is of. */
export function sizeOf(sizes: Sizes, { kind }: SizeTarget): number {
  const size = sizes[kind]
  if (size === undefined) throw new Error(`${kind} was not measured`)
  return size
}

export const sizeTargets = (targets: readonly Target[]): SizeTarget[] =>
  targets.filter(target => target.kind !== 'accuracy')

/** The points of accuracy that may be lost; undefined where that is no target. */
export const lossAllowed = (targets: readonly Target[]): number | undefined => {
  const target = targets.find(({ kind }) => kind === 'accuracy')
  return target?.kind === 'accuracy' ? -target.least : undefined
}
