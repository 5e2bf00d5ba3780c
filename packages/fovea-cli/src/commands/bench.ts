/** @file `fovea bench`: how fast a model trains or infers here, on images of noise; what its step is compiled to. */

import { Command } from 'commander'
import { type Feeds, FoveaError, formatBytes, type MemoryUse, type Precision, type Program } from 'fovea'
import { describePlan, type PlannedProgram, printPlan } from 'fovea/engine'
import type { OnednnProgram, StepProfile } from 'fovea-onednn'
import { benchmark, benchmarkGraph } from '../benchmark.js'
import { rowPrecision } from '../compare/row-types.js'
import { type EngineOptions, openEngine, withEngineOptions } from '../engines.js'
import { writeFileAtomic } from '../files.js'
import { aboutNamedModel, namedModel } from '../named-model.js'
import { checkNewFiles } from '../new-files.js'
import { createOutput, withCommas } from '../output.js'
import { chromeTrace, formatProfile, measurePeaks, profileRows } from '../profile.js'
import { settingOption } from '../setting-option.js'
import { inputSize, oneOf, UsageError, wholeNumber } from '../usage.js'

interface BenchOptions extends EngineOptions {
  readonly mode: 'train' | 'infer'
  readonly batch: number
  readonly input?: [number, number, number]
  readonly precision: Precision
  readonly keepFloat32?: readonly string[]
  readonly memory: MemoryUse
  readonly steps: number
  readonly profile?: true
  readonly trace?: string
  readonly plan?: true
  readonly json?: true
}

export function benchCommand(): Command {
  const modes = ['train', 'infer'] as const
  return withEngineOptions(new Command('bench'))
    .description('measure the speed of a model on this machine')
    .argument('<model>', aboutNamedModel)
    .option('--mode <name>', modes.join(' or '), oneOf('--mode', modes), 'train')
    .addOption(settingOption('batchSize').default(16))
    .option('--input <HxWxC>', "size of an image (default: the model's)", inputSize)
    .addOption(settingOption('precision').default('float32'))
    .addOption(settingOption('keepFloat32'))
    .addOption(settingOption('memory').default('standard'))
    .option('--steps <n>', 'steps that are measured, after two that are not', wholeNumber('--steps', 1), 10)
    .option('--profile', 'list where the time of a step goes, by kind of operation')
    .option('--trace <file>', 'write the trace of a step to a new file, for chrome://tracing')
    .option('--plan', 'print what a step is compiled to, its loops, steps and memory, and measure nothing')
    .option('--json', 'print JSON')
    .action(run)
}

async function run(name: string, options: BenchOptions): Promise<void> {
  const output = createOutput(options.json === true, { leavesFiles: options.trace !== undefined })
  const { mode, batch, precision, keepFloat32, memory, steps, input } = options
  if (mode === 'infer' && memory === 'low')
    throw new UsageError('--memory low is for training: inference keeps nothing')
  if (options.plan && (options.profile || options.trace !== undefined))
    throw new UsageError('--plan measures nothing: leave out --profile and --trace')
  const engine = openEngine(options, output)
  const { model, saved } = namedModel(name, { input })
  const step = { mode, batch, precision, ...(keepFloat32 && { keepFloat32 }), memory }
  const wantsProfile = options.profile === true || options.trace !== undefined
  if (wantsProfile && engine.name !== 'onednn') throw new FoveaError('--profile and --trace need the onednn engine')
  if (options.plan && engine.name === 'reference') throw new FoveaError('--plan needs the onednn or the wasm engine')
  if (options.trace !== undefined) checkNewFiles([options.trace], '--trace')
  let profile: readonly StepProfile[] = []
  const onProgram = async (program: Program, feeds: Feeds): Promise<void> => {
    const native = program as OnednnProgram
    native.profiling = true
    await native.run(feeds, [])
    profile = native.profile()
  }
  if (options.plan) {
    const program = (await engine.compile(benchmarkGraph(model, step))) as PlannedProgram
    program.dispose()
    const types = rowPrecision(model, precision)
    output.result({
      ...{ model: name, mode, batch, precision: types, engine: engine.name },
      plan: describePlan(program.plan),
    })
    return output.show(printPlan(program.plan))
  }
  const how = { steps, ...(saved && { weights: model.weights }), ...(wantsProfile && { onProgram }) }
  const result = await benchmark(model, engine, { ...step, ...how })
  const peaks = options.profile && (await measurePeaks(engine))
  const rows = peaks && profileRows(profile, peaks, engine.threads)
  output.result({ ...result, ...(peaks && { peaks, profile: rows }) })
  const { precision: types, msPerStep, imagesPerSecond, gflops, peakMemoryBytes } = result
  output.say(
    `${name}, ${mode}, batch ${batch} of ${model.preprocessing.size.join('×')}, ${types}${memory === 'low' ? ', memory low' : ''}, ${engine.description}`,
  )
  output.say(
    `${msPerStep.median.toFixed(1)} ms a step (fastest ${msPerStep.min.toFixed(1)}, 95 % within ${msPerStep.p95.toFixed(1)}), ` +
      `${withCommas(Math.round(imagesPerSecond))} images/s, ${gflops.toFixed(0)} GFLOP/s, peak memory ${formatBytes(peakMemoryBytes)}`,
  )
  if (peaks && rows) output.show(`\n${formatProfile(rows, peaks)}`)
  if (options.trace !== undefined) {
    await writeFileAtomic(options.trace, chromeTrace(profile))
    output.say(`trace of one step: ${options.trace}`)
  }
}
