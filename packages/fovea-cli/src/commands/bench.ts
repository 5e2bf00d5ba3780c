/** @file `fovea bench`: how fast a model trains or infers here, on images of noise. */
import { Command } from 'commander'
import { createModel, formatBytes } from 'fovea'
import { benchmark } from '../benchmark.js'
import { type EngineOptions, openEngine, withEngineOptions } from '../engines.js'
import { createOutput, withCommas } from '../output.js'
import {
  imageSize,
  modelName,
  oneOf,
  precision,
  type TrainingPrecision,
  trainingPrecisions,
  wholeNumber,
} from '../usage.js'

interface BenchOptions extends EngineOptions {
  readonly mode: 'train' | 'infer'
  readonly batch: number
  readonly input?: [number, number, number]
  readonly precision: TrainingPrecision
  readonly steps: number
  readonly json?: true
}

export function benchCommand(): Command {
  const modes = ['train', 'infer'] as const
  return withEngineOptions(new Command('bench'))
    .description('measure the speed of a model on this machine')
    .argument('<model>', 'resnet20, efficientnet-b0, …', modelName)
    .option('--mode <name>', modes.join(' or '), oneOf('--mode', modes), 'train')
    .option('--batch <n>', 'images a step', wholeNumber('--batch', 1), 16)
    .option('--input <HxWxC>', "size of an image (default: the model's)", imageSize)
    .option('--precision <name>', trainingPrecisions.join(' or '), precision(trainingPrecisions), 'float32')
    .option('--steps <n>', 'steps that are measured, after two that are not', wholeNumber('--steps', 1), 10)
    .option('--json', 'print JSON')
    .action(run)
}

async function run(name: string, options: BenchOptions): Promise<void> {
  const output = createOutput(options.json === true)
  const { mode, batch, precision, steps, input } = options
  const engine = openEngine({ engine: options.engine, threads: options.threads }, output)
  const model = createModel(name, input === undefined ? {} : { input })
  const result = await benchmark(model, engine, { mode, batch, precision, steps })
  output.result(result)
  const { msPerStep, imagesPerSecond, gflops, peakMemoryBytes } = result
  output.say(
    `${name}, ${mode}, batch ${batch} of ${model.preprocessing.size.join('×')}, ${precision}, ${engine.description}`,
  )
  output.say(
    `${msPerStep.median.toFixed(1)} ms a step (fastest ${msPerStep.min.toFixed(1)}, 95 % within ${msPerStep.p95.toFixed(1)}), ` +
      `${withCommas(Math.round(imagesPerSecond))} images/s, ${gflops.toFixed(0)} GFLOP/s, peak memory ${formatBytes(peakMemoryBytes)}`,
  )
}
