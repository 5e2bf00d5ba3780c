/** @file A data set that is found but not loaded: what is known of it before an image is downloaded or decoded. */
import type { DataSplits, Dataset } from 'fovea'
import type { DecodedFacts } from './folder-facts.js'
import type { LoadOptions } from './options.js'

export interface FoundData extends Pick<Dataset, 'name' | 'imageShape' | 'classes'> {
  /** Why a folder's images have the size that they have. */
  readonly sizeFrom?: SizeFrom
  /** @throws the errors of its kind of data set */
  open(options?: LoadOptions): Promise<LoadedData>
}

/** The images, and what a folder of images says about itself. */
export interface LoadedData extends DataSplits {
  readonly facts?: DecodedFacts
  /** Why a folder's images have the size that they have. */
  readonly sizeFrom?: SizeFrom
}

/** It was asked for; it is the model's; it is the median of their shorter sides, or the most that is taken by itself. */
export type SizeFrom = 'asked' | 'model' | 'median' | 'most'
