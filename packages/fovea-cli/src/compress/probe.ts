/** @file How large and how fast a model would be, beside the original: neither depends on training, so nothing is trained for it. */
import { statSync } from 'node:fs'
import { encodeCheckpoint, type Model } from 'fovea'
import { LATENCY_STEPS } from '../account/account.js'
import { modelFile } from '../checkpoint-file.js'
import { inferences, medianMs } from '../compare/measure.js'
import { planRows } from '../compare/rows.js'
import { onInterrupt } from '../interrupt.js'
import type { Original } from '../open-original.js'
import { StagedProgress } from '../progress.js'

/** The part of the original's file that a model takes. */
export function bytesBeside({ file }: Original, smaller: Model): number {
  const bytes = encodeCheckpoint({ model: smaller }).reduce((sum, { length }) => sum + length, 0)
  return bytes / statSync(modelFile(file)).size
}

/** More than for an account: the search rests on it, and a busy moment may last longer than so many steps. */
const STEPS = 3 * LATENCY_STEPS

/** The part of the original's time for one image, both in turns. @throws InterruptError */
export async function latencyBeside({ file, model, engine }: Original, smaller: Model, name: string): Promise<number> {
  const both = [
    { name: file, model, saved: true },
    { name, model: smaller, saved: true },
  ]
  const progress = new StagedProgress()
  const { signal, release } = onInterrupt(() => progress.stop())
  try {
    const planned = planRows(both, { precisions: ['float32'], seed: 0, inferenceOnly: true })
    const [before, after] = await medianMs(planned, inferences(1), { engine, steps: STEPS, signal, progress })
    return after / before
  } finally {
    progress.stop()
    release()
  }
}
