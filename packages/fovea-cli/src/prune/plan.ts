/**
 * @file What a run of `fovea prune` was asked for and has found out, kept in its folder once there is something to go on with:
 * a run that was killed goes on where it was.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { FormatError, FoveaError } from 'fovea'
import { z } from 'zod'
import { readWhole, writeFileAtomic } from '../files.js'
import type { RunFolder } from '../run-folder.js'
import { pathsOf } from '../run-record.js'
import { foveaCommand } from '../shell.js'
import type { PrunedPart } from './methods.js'

const PLAN = 'prune.json'
const VERSION = 1

const planSchema = z.object({
  version: z.literal(VERSION),
  /** The words of the command line, each path an absolute one. */
  arguments: z.array(z.string().max(10_000)).max(100),
  /** Of what was taken at once: what is left of each layer, and the accuracy before any training. */
  pruned: z
    .object({
      layers: z.array(
        z.object({
          name: z.string(),
          channels: z.int().optional(),
          weights: z.int().optional(),
          kept: z.int(),
        }),
      ),
      accuracy: z.number(),
    })
    .optional(),
})

export interface PrunePlan {
  readonly arguments: readonly string[]
  readonly pruned?: { readonly layers: readonly PrunedPart[]; readonly accuracy: number }
}

/** The file that says that a folder is one of `fovea prune`. */
export const planFile = (folder: RunFolder): string => folder.file(PLAN)

/** What tells a user how to go on. */
export const resumePruning = ({ path }: RunFolder): string => foveaCommand('prune', '--resume', path)

/** Options of a command by name, as words of a command line. */
export function argumentsOf(file: string, { data, ...options }: { readonly data: string }): string[] {
  const all = { ...pathsOf({ data }), ...options }
  const words = Object.entries<unknown>(all).flatMap(([name, value]) => {
    const option = `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
    return value === undefined ? [] : value === true ? [option] : [option, String(value)]
  })
  return [resolve(file), ...words]
}

export const writePlan = (folder: RunFolder, plan: PrunePlan): Promise<void> =>
  writeFileAtomic(planFile(folder), `${JSON.stringify({ version: VERSION, ...plan }, null, 2)}\n`)

/** @throws FoveaError if nothing was begun there; FormatError if what says so is damaged */
export function readPlan(folder: RunFolder): PrunePlan {
  const path = planFile(folder)
  if (!existsSync(path)) {
    throw new FoveaError(
      `there is no pruning in '${folder.path}' to go on with; start it: ` +
        foveaCommand('prune', 'FILE', '--data', 'DATA', '--amount', '0.5', '--out', folder.path),
    )
  }
  const text = readWhole(path, { what: 'a plan of pruning', maxBytes: 16 << 20 }).toString('utf8')
  try {
    const { version: _, pruned, arguments: words } = planSchema.parse(JSON.parse(text))
    return { arguments: words, ...(pruned && { pruned: pruned as NonNullable<PrunePlan['pruned']> }) }
  } catch (error) {
    const why = error instanceof z.ZodError ? ` at '${error.issues[0].path.join('.')}'` : ': it is not JSON'
    throw new FormatError(`'${path}' is damaged${why}; start anew in another folder`)
  }
}
