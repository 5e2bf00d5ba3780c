/**
 * @file The work of `fovea compress`: finds by measuring how much of a model has to go, or may go, prunes it, trains what is left,
 * makes integers of it, and puts all that was tried beside the original.
 */
import { existsSync } from 'node:fs'
import { FoveaError } from 'fovea'
import { accountFiles } from '../account/write.js'
import { InterruptError, onInterrupt } from '../interrupt.js'
import { openOriginal } from '../open-original.js'
import type { PlannedWork } from '../plan.js'
import { pictureFiles } from '../reports/picture.js'
import type { RunFolder } from '../run-folder.js'
import { StoppedError } from '../tune.js'
import { Compression } from './compression.js'
import { MODELS, type ModelsRequest } from './models.js'
import { type CompressFindings, compressPlans } from './plan.js'
import { PICTURE, reportCompression } from './report.js'
import { targetsOf } from './targets.js'

export interface CompressRequest extends Omit<ModelsRequest, 'epochs' | 'distill'> {
  /** As `targetsOf` reads them. */
  readonly target: readonly string[]
  readonly epochs: number
  readonly distill: boolean
}

/** All files that a folder of `fovea compress` may have, beside its plan and those of a run. */
export const filesOf = (folder: RunFolder): string[] => [
  ...[MODELS, ...accountFiles].map(name => folder.file(name)),
  ...pictureFiles(folder.file(PICTURE)),
]

/** @throws FoveaError where the targets cannot be met; InterruptError that says how to go on */
export async function runCompression(
  file: string,
  { target, distill, ...request }: CompressRequest,
  { folder, plan, output }: PlannedWork<CompressFindings>,
): Promise<void> {
  const trainImages = 'on which what is left is trained'
  const original = await openOriginal(file, request, { into: folder.path, trainImages, output })
  const tuning = { ...request, ...(distill && { distill }) }
  const interrupt = onInterrupt(() => {
    if (!compression.isTraining) output.warn('stopping after this step (Ctrl-C again ends at once)')
  })
  const { signal } = interrupt
  const options = { targets: targetsOf(target), folder, plan, output, signal }
  const compression = new Compression(original, tuning, options)
  try {
    await reportCompression(original, await compression.run(), { folder, output })
  } catch (error) {
    if (error instanceof StoppedError) return
    // Before there is a model, nothing was made that could go on.
    if (error instanceof FoveaError && !(error instanceof InterruptError) && !existsSync(folder.file(MODELS))) {
      compressPlans.remove(folder)
    }
    if (!(error instanceof InterruptError) || !existsSync(compressPlans.file(folder))) throw error
    throw new InterruptError(`interrupted; go on with: ${compressPlans.resumedBy(folder)}`)
  } finally {
    interrupt.release()
  }
}
