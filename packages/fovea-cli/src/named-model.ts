/** @file A model that a command line names: one of the registry, as it is before training, or a saved one. */
import { statSync } from 'node:fs'
import { createModel, type Model } from 'fovea'
import { readModel } from './checkpoint-file.js'
import { modelName, UsageError } from './usage.js'

/** What such an argument is, for help. */
export const aboutNamedModel = 'resnet20, efficientnet-b0, …, or a model that fovea saved'

/**
 * @param options what a model by name may be given
 * @throws UsageError for what is neither, and for options that a saved model has of its own; what reading it throws
 */
export function namedModel(
  name: string,
  { classes, input }: { readonly classes?: number | undefined; readonly input?: [number, number, number] | undefined },
): { readonly model: Model; readonly saved: boolean } {
  if (statSync(name, { throwIfNoEntry: false }) === undefined) {
    const given = { ...(classes !== undefined && { classes }), ...(input !== undefined && { input }) }
    return { model: createModel(modelName(name), given), saved: false }
  }
  const other = classes !== undefined ? '--classes' : input !== undefined ? '--input' : undefined
  if (other !== undefined) throw new UsageError(`${other} is for models by name; a saved model has its own`)
  return { model: readModel(name), saved: true }
}
