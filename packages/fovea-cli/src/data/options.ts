/** @file What loading any data set can be asked for: where to keep files, how to report progress; and how that is read. */
import { callback, group, type Rows, text, thing } from 'fovea/engine'

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

const isSignal = (value: unknown): value is AbortSignal =>
  typeof value === 'object' && value !== null && 'throwIfAborted' in value && 'aborted' in value

/** The rows of `LoadOptions`. */
export const loadSettings = {
  cache: text('where downloads and packed files are kept').optional(),
  onProgress: callback<NonNullable<LoadOptions['onProgress']>>('takes how far a long job is').optional(),
  onNotice: callback<NonNullable<LoadOptions['onNotice']>>('takes a sentence for people').optional(),
  signal: thing('stops the work', 'other', "an AbortController's signal", isSignal).optional(),
} satisfies Rows<LoadOptions>

/** The table of `LoadOptions`. */
export const loadOptions = group('how a data set is loaded', loadSettings)

/** Those of them that are among other options. */
export const loadOptionsIn = (options: LoadOptions): LoadOptions =>
  group('how a data set is loaded', loadSettings, 'ignored').parse(options, '')

/** A file or folder, as an argument. */
export const pathArgument = text('where it is')
