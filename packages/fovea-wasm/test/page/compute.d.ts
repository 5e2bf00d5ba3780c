import type * as fovea from 'fovea'

/** How much is trained on. */
export interface Extent {
  readonly batches?: number
  readonly batchSize?: number
}

export interface Computed {
  readonly description: string
  readonly losses: readonly number[]
  readonly probabilities: readonly number[]
  /** A sum of the bits of all weights. */
  readonly bits: number
  /** The fastest epoch. */
  readonly msPerEpoch: number
}

export function compute(
  library: Pick<typeof fovea, 'arrayDataset' | 'createModel' | 'predictProbabilities' | 'train'>,
  engine: fovea.Engine,
  extent?: Extent,
): Promise<Computed>
