/**
 * @file The search of `fovea compress`: which amount of a model goes so that its targets are met, by measuring. Latency and bytes do
 * not depend on training, so untrained models are measured for them; accuracy takes trained ones.
 */
import { type Dataset, evaluate, FoveaError, graphMultiplyAdds, type Model } from 'fovea'
import { type Account, accountsOf } from '../account/account.js'
import { pointName, type TradeOffPoint } from '../account/trade-off.js'
import type { Original } from '../open-original.js'
import { type Output, withCommas } from '../output.js'
import type { Plan } from '../plan.js'
import type { RunFolder } from '../run-folder.js'
import { MODELS, Models, type ModelsRequest, type TriedModel, withValidation } from './models.js'
import { type CompressFindings, compressPlans, type Probe } from './plan.js'
import { bytesBeside, latencyBeside } from './probe.js'
import { amountsUpTo, largestThatKeeps, smallestThatFits } from './search.js'
import {
  lossAllowed,
  missedSizes,
  type Sizes,
  type SizeTarget,
  sizeOf,
  sizeTargets,
  type Target,
  targetText,
} from './targets.js'

export interface CompressionOptions {
  /** Aborting it ends the work before its next step. */
  readonly signal: AbortSignal
  readonly targets: readonly Target[]
  readonly folder: RunFolder
  readonly plan: Plan<CompressFindings>
  readonly output: Output
}

/** What was tried, and which of it meets all targets. */
export interface Compressed {
  readonly targets: readonly Target[]
  /** The original first. */
  readonly points: readonly TradeOffPoint[]
  readonly chosen: TradeOffPoint
  /** What decided about accuracy: the points that were lost, and on how many images; where that was a target. */
  readonly loss?: { readonly points: number; readonly images: number }
}

export class Compression {
  readonly #original: Original
  readonly #options: CompressionOptions
  readonly #models: Models
  readonly #targets: readonly Target[]
  readonly #allowed: number | undefined
  /** Decides about accuracy, where that is a target. */
  readonly #validation: Dataset | undefined
  #plan: Plan<CompressFindings>
  #before: number | undefined

  constructor(original: Original, request: ModelsRequest, options: CompressionOptions) {
    this.#original = original
    this.#options = options
    const { targets, folder, plan, output, signal } = options
    this.#targets = targets
    this.#plan = plan
    this.#allowed = lossAllowed(targets)
    const data = this.#allowed === undefined ? original.data : withValidation(original.data)
    this.#validation = this.#allowed === undefined ? undefined : data.validation
    const [maxLoss, measured] = [this.#allowed, this.#validation]
    this.#models = new Models(original, request, {
      ...{ folder, data, output, signal },
      ...(maxLoss !== undefined && measured && { budget: { maxLoss, measured } }),
      resumedBy: compressPlans.resumedBy(folder),
    })
  }

  /** Whether a training is under way: it has its own way to stop. */
  get isTraining(): boolean {
    return this.#models.isTraining
  }

  /** @throws FoveaError where the targets cannot be met; StoppedError; InterruptError */
  async run(): Promise<Compressed> {
    // First of all, as it refuses models that cannot be pruned before anything is kept.
    const amounts = amountsUpTo(await this.#models.prunable())
    const integers = await this.#decideIntegers()
    if (sizeTargets(this.#targets).length === 0) {
      return this.#resultOf(await this.#largestThatKeeps(amounts), await this.#measureAll())
    }
    let amount = this.#plan.chosen ?? (await this.#smallestThatFits(amounts))
    for (;;) {
      await this.#find({ chosen: amount })
      if (integers) await this.#make(0)
      await this.#make(amount)
      await this.#checkLoss(amount)
      const points = await this.#measureAll()
      const result = await this.#resultOf(amount, points)
      const sizes = sizesBeside(points[0], result.chosen)
      const missed = missedSizes(this.#targets, sizes)
      if (missed.length === 0) return result
      amount = await this.#next(amounts, amount, { missed, sizes })
    }
  }

  /** Whether untrained models are timed: bytes alone are known without. */
  get #isTimed(): boolean {
    return sizeTargets(this.#targets).some(({ kind }) => kind === 'latency')
  }

  /** Keeps what was found out, so that a run that goes on knows it. */
  async #find(found: CompressFindings): Promise<void> {
    this.#plan = { ...this.#plan, ...found }
    await compressPlans.write(this.#options.folder, this.#plan)
  }

  /** Integers make any file smaller, and most processors faster: where only time counts, that is measured. */
  async #decideIntegers(): Promise<boolean> {
    const known = this.#plan.integers
    if (known !== undefined) return known
    if (this.#isTimed && sizeTargets(this.#targets).every(({ kind }) => kind === 'latency')) {
      const probe = await this.#measure(0, true)
      const integers = probe.latency! < 1
      if (!integers) this.#options.output.say('integers are not faster here: the model stays float32')
      await this.#find({ integers, ...(integers && { probes: [probe] }) })
    } else {
      await this.#find({ integers: true })
    }
    return this.#plan.integers!
  }

  async #smallestThatFits(amounts: readonly number[]): Promise<number> {
    const targets = this.#targets
    const integers = this.#plan.integers!
    const found = await smallestThatFits(amounts, { targets, integers, measure: amount => this.#probe(amount) })
    if (found === undefined) {
      const most = amounts[amounts.length - 1]
      // By chance, it may have been too slow.
      const sizes = await this.#probe(most, { anew: this.#isTimed })
      const [missed] = missedSizes(targets, sizes)
      if (missed !== undefined) throw cannot(missed, sizes, pointName({ amount: most, integers }))
      return this.#smallestThatFits(amounts)
    }
    if (!this.#isTimed) return found
    // The search took the smallest of several that were timed once: by chance, one may have been too fast.
    let amount = found
    for (;;) {
      const sizes = await this.#probe(amount, { anew: true })
      const missed = missedSizes(targets, sizes)
      if (missed.length === 0) return amount
      amount = await this.#next(amounts, amount, { missed, sizes })
    }
  }

  /** The next amount that makes a smaller model, of which the untrained one meets the targets of size. */
  async #next(
    amounts: readonly number[],
    amount: number,
    { missed: [missed], sizes }: { readonly missed: readonly SizeTarget[]; readonly sizes: Sizes },
  ): Promise<number> {
    const integers = this.#plan.integers!
    const name = pointName({ amount, integers })
    const { gone } = await this.#probe(amount)
    for (const next of amounts.filter(one => one > amount)) {
      const probe = await this.#probe(next)
      if (probe.gone <= gone || missedSizes(this.#targets, probe).length > 0) continue
      this.#options.output.warn(
        `measured again, ${missed.kind} is ${sizeOf(sizes, missed).toFixed(3)}x with ${name}: ` +
          `going on with ${pointName({ amount: next, integers })}`,
      )
      return next
    }
    throw cannot(missed, sizes, name)
  }

  async #probe(amount: number, { anew = false } = {}): Promise<Probe> {
    const { probes = [] } = this.#plan
    const known = probes.find(probe => probe.amount === amount)
    if (known && !anew) return known
    const probe = await this.#measure(amount, this.#plan.integers!, anew ? [] : probes)
    // What is measured anew holds for all that are the same model.
    const others = probes.filter(other => other !== known)
    const same = others.map(other => (other.gone === probe.gone ? { ...probe, amount: other.amount } : other))
    await this.#find({ probes: [...same, probe] })
    return probe
  }

  /**
   * @param probes what is known: each amount takes the channels that smaller ones take, so models without as many multiply-adds
   *   are the same
   */
  async #measure(amount: number, integers: boolean, probes: readonly Probe[] = []): Promise<Probe> {
    const { output, signal } = this.#options
    const name = pointName({ amount, integers })
    signal.throwIfAborted()
    const pruned = await this.#models.pruned(amount)
    const gone = 1 - multiplyAdds(pruned) / multiplyAdds(this.#original.model)
    const same = probes.find(probe => probe.gone === gone)
    if (same !== undefined) {
      output.say(`${name}: the same channels as ${pointName({ amount: same.amount, integers })}`)
      return { ...same, amount }
    }
    const model = integers ? await this.#models.probe(pruned) : pruned
    const bytes = bytesBeside(this.#original, model)
    const latency = this.#isTimed ? { latency: await latencyBeside(this.#original, model, name) } : {}
    const probe = { amount, gone, bytes, ...latency }
    output.result({ event: 'measured', integers, ...probe })
    const timed = probe.latency === undefined ? '' : `${probe.latency.toFixed(3)}x of the latency, `
    output.say(`${name}: ${timed}${probe.bytes.toFixed(3)}x of the file`)
    return probe
  }

  async #largestThatKeeps(amounts: readonly number[]): Promise<number> {
    const allowed = this.#allowed!
    const found = await largestThatKeeps(amounts, async amount => {
      await this.#make(amount)
      return (await this.#loss(amount)) <= allowed
    })
    if (found !== undefined) return found
    throw new FoveaError(
      `--target ${this.#accuracyText} is not met: the original in integers loses ${(await this.#loss(0)).toFixed(2)} points, ` +
        `and all that was pruned too many as well; allow more, or train for more --epochs${this.#where}`,
    )
  }

  async #checkLoss(amount: number): Promise<void> {
    if (this.#allowed === undefined) return
    const loss = await this.#loss(amount)
    if (loss <= this.#allowed) return
    const sizes = sizeTargets(this.#targets).map(targetText)
    throw new FoveaError(
      `--target ${this.#accuracyText} is not met: ${pointName({ amount, integers: this.#plan.integers! })}, ` +
        `which ${sizes.join(' and ')} needs, loses ${loss.toFixed(2)} points; allow more, or train for more --epochs${this.#where}`,
    )
  }

  get #accuracyText(): string {
    return this.#targets.filter(({ kind }) => kind === 'accuracy').map(targetText)[0]
  }

  get #where(): string {
    return `. What was tried is in '${this.#options.folder.file(MODELS)}'`
  }

  async #make(amount: number): Promise<TriedModel[]> {
    const { tried = [], integers } = this.#plan
    if (!tried.includes(amount)) await this.#find({ tried: [...tried, amount] })
    return this.#models.make(amount, integers!)
  }

  /** The points of accuracy that the model of an amount loses. */
  async #loss(amount: number): Promise<number> {
    const { losses = [], integers } = this.#plan
    const known = losses.find(one => one.amount === amount)
    if (known) return known.loss
    const { output, signal } = this.#options
    const images = this.#validation!
    const { engine, model } = this.#original
    const made = (await this.#make(amount)).at(-1)!.model
    const accuracyOf = async (of: Model): Promise<number> => {
      signal.throwIfAborted()
      return (await evaluate(of, images, { engine })).accuracy
    }
    this.#before ??= await accuracyOf(model)
    const loss = 100 * (this.#before - (await accuracyOf(made)))
    output.result({ event: 'tried', amount, integers, loss })
    const name = pointName({ amount, integers: integers! })
    output.say(`${name}: ${loss.toFixed(2)} points of accuracy lost on ${withCommas(images.length)} images`)
    await this.#find({ losses: [...losses, { amount, loss }] })
    return loss
  }

  /** The original and all that was tried, in turns. */
  async #measureAll(): Promise<TradeOffPoint[]> {
    const { file, model, images, engine } = this.#original
    const all: TriedModel[] = [{ name: file, model, amount: 0, integers: false }]
    for (const amount of [...this.#plan.tried!].sort((a, b) => a - b)) all.push(...(await this.#make(amount)))
    const accounts = await accountsOf(all, { images, engine, output: this.#options.output })
    return accounts.map((account, i) => ({ ...account, amount: all[i].amount, integers: all[i].integers }))
  }

  async #resultOf(amount: number, points: readonly TradeOffPoint[]): Promise<Compressed> {
    const integers = this.#plan.integers!
    const chosen = points.find(point => point.amount === amount && point.integers === integers)!
    const loss = this.#validation && { points: await this.#loss(amount), images: this.#validation.length }
    return { targets: this.#targets, points, chosen, ...(loss && { loss }) }
  }
}

const multiplyAdds = ({ graph }: Model): number => graphMultiplyAdds(graph)

const sizesBeside = (before: Account, after: Account): Sizes => ({
  latency: after.latencyMs / before.latencyMs,
  bytes: after.fileBytes / before.fileBytes,
})

const cannot = (target: SizeTarget, sizes: Sizes, name: string): FoveaError =>
  new FoveaError(
    `--target ${targetText(target)} cannot be met: ${target.kind} is ${sizeOf(sizes, target).toFixed(3)}x with ${name}; ask for less`,
  )
