/** @file `fovea demo`, which `npm start` runs: a small ResNet learns to tell clothes apart, on images that ship with it. */
import { Command } from 'commander'
import { type Engine, resnet8 } from 'fovea'
import { benchmark } from '../benchmark.js'
import { type EngineName, openEngine } from '../engines.js'
import { createOutput, paint, withCommas } from '../output.js'
import { freeRunFolder, RunFolder } from '../run-folder.js'
import type { RunRequest } from '../run-record.js'
import { foveaCommand } from '../shell.js'
import { runTraining } from '../training-run.js'

/** As much as a fast engine trains on in well under two minutes, and what a slow one takes instead. */
const fast = { epochs: 12, limit: 10_000, batch: 128 } as const
const slow = { epochs: 3, limit: 900, batch: 16 } as const
/** Of fewer images than `fast` has, as more steps: on 3,300 images 87.4 % are recognized then, and 85.6 % by batches of 128 (oneDNN). */
const FEWER_BATCH = 64

/** For the training steps: two minutes less what set-up, evaluation and a busy moment may take. */
const TRAINING_SECONDS = 75

export function demoCommand(): Command {
  return new Command('demo')
    .description('train a small ResNet on the photos of clothes that come with Fovea, in at most two minutes')
    .option('--json', 'print JSON, one line per epoch')
    .action(run)
}

async function run({ json }: { readonly json?: true }): Promise<void> {
  const output = createOutput(json === true, { leavesFiles: true })
  const engine = openEngine({}, output)
  const plan = engine.name === 'reference' ? slow : fast
  const limit = Math.min(plan.limit, await imagesIn(TRAINING_SECONDS / plan.epochs, engine, plan.batch))
  if (limit < fast.limit) {
    output.say(`On a part of the images, ${withCommas(limit)} of 10,000, so that it ends in two minutes here.`)
  }
  const folder = new RunFolder(freeRunFolder('demo'))
  const request: RunRequest = {
    model: 'resnet8',
    data: 'fashion-mnist',
    precision: 'float32',
    seed: 0,
    engine: engine.name as EngineName,
    ...plan,
    limit,
    batch: limit < fast.limit ? Math.min(plan.batch, FEWER_BATCH) : plan.batch,
  }
  const done = await runTraining(request, {
    folder,
    resume: false,
    output,
    title: 'ResNet-8 learns to tell clothes apart',
  })
  if (!done) return
  const evaluate = foveaCommand('eval', folder.path, '--data', 'fashion-mnist')
  output.show('\nTry next:')
  output.say('  ', paint('cyan', evaluate), '   which clothes it takes for which')
  output.say(
    '  ',
    paint('cyan', 'npx fovea train resnet8 --data photos/ --epochs 20'),
    '   your own photos, in a folder for each class',
  )
}

/** How many images the model trains on here in so many seconds, to two digits. */
async function imagesIn(seconds: number, engine: Engine, batch: number): Promise<number> {
  const model = resnet8({ input: [28, 28, 1] })
  const { imagesPerSecond } = await benchmark(model, engine, { mode: 'train', batch, precision: 'float32', steps: 3 })
  return Number((seconds * imagesPerSecond).toPrecision(2))
}
