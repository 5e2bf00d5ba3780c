/** @file A rate that is multiplied every so many epochs, after a linear warm-up: EfficientNet's (arXiv 1905.11946, section 5.2). */
export interface ExponentialSchedule {
  readonly type: 'exponential'
  readonly rate: number
  readonly factor: number
  /** The rate changes at multiples of this many epochs. */
  readonly everyEpochs: number
  /** The first rates climb from nothing. Default 0. */
  readonly warmupEpochs?: number
}

/** @param epochs since the start of the run, parts of one included */
export function exponentialRate(
  { rate, factor, everyEpochs, warmupEpochs = 0 }: ExponentialSchedule,
  epochs: number,
): number {
  const climbed = Math.min(1, epochs / warmupEpochs || 1)
  return climbed * rate * factor ** Math.floor(epochs / everyEpochs)
}
