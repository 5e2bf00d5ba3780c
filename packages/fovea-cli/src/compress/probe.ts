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

/** So often both are timed: the median of the ratios counts, as a busy moment may fall on either. */
const ROUNDS = 3

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
    const ratios: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const [before, after] = await medianMs(planned, inferences(1), { engine, steps: LATENCY_STEPS, signal, progress })
      ratios.push(after / before)
    }
    return ratios.sort((a, b) => a - b)[(ROUNDS - 1) / 2]
  } finally {
    progress.stop()
    release()
  }
}
