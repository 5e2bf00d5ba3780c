/** @file What loading any data set can be asked for: where to keep files, how to report progress. */

/** How far a long job is. */
export interface DataProgress {
  readonly stage: 'download' | 'decode' | 'unpack'
  readonly done: number
  /** 0 where it is not known. */
  readonly total: number
  readonly unit: 'bytes' | 'images'
}

export interface LoadOptions {
  /** Where downloads and packed files are kept. Default: the environment's FOVEA_DATA, else ~/.cache/fovea. */
  readonly cache?: string
  readonly onProgress?: (progress: DataProgress) => void
  /** Takes a sentence that a person should see: images skipped, a file packed. Default: dropped. */
  readonly onNotice?: (message: string) => void
  /** Stops the work, which throws the signal's reason; nothing half written is left but a download that can go on. */
  readonly signal?: AbortSignal
}
