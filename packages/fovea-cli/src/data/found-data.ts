/** @file A data set that is found but not loaded: what is known of it before an image is downloaded or decoded. */
import type { DataSplits, Dataset } from 'fovea'
import type { FolderFacts } from './folder-facts.js'
import type { LoadOptions } from './options.js'

export interface FoundData extends Pick<Dataset, 'name' | 'imageShape' | 'classes'> {
  /** @throws the errors of its kind of data set */
  open(options?: LoadOptions): Promise<LoadedData>
}

/** The images, and what a folder of images says about itself. */
export interface LoadedData extends DataSplits {
  readonly facts?: FolderFacts
}
