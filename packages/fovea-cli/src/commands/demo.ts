/** @file `fovea demo`, which `npm start` runs: a small ResNet learns to tell clothes apart, on images that ship with it. */
import { Command } from 'commander'
import { onednnStatus } from 'fovea-onednn'
import { createOutput, paint } from '../output.js'
import { freeRunFolder, RunFolder, type RunRequest } from '../run-folder.js'
import { runTraining } from '../training-run.js'

/** What fits into two minutes on two cores, by engine. */
const plans = {
  onednn: { epochs: 12, limit: 10_000 },
  reference: { epochs: 3, limit: 900, batch: 16 },
} as const

export function demoCommand(): Command {
  return new Command('demo')
    .description('train a small ResNet on the photos of clothes that come with Fovea, in at most two minutes')
    .option('--json', 'print JSON, a line an epoch')
    .action(run)
}

async function run({ json }: { readonly json?: true }): Promise<void> {
  const output = createOutput(json === true)
  const { available } = onednnStatus()
  const plan = available ? plans.onednn : plans.reference
  if (!available) output.say(`A part of the images, as the reference engine is slow: ${plan.limit} of 10,000.`)
  const folder = new RunFolder(freeRunFolder('demo'))
  const request: RunRequest = { model: 'resnet8', data: 'fashion-mnist', precision: 'float32', seed: 0, ...plan }
  const done = await runTraining(request, { folder, output, title: 'ResNet-8 learns to tell clothes apart' })
  if (!done) return
  output.say(`
Try next:
  ${paint('cyan', `npx fovea eval ${folder.path} --data fashion-mnist`)}   which clothes it takes for which
  ${paint('cyan', 'npx fovea train resnet8 --data photos/ --epochs 20')}   your own photos, in a folder for each class`)
}
