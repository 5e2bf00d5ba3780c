/** @file `fovea setup`: which engine is ready and why; builds the native one where no package fits. */
import { spawnSync } from 'node:child_process'
import { Command } from 'commander'
import { EngineError } from 'fovea'
import { buildScript, type OnednnStatus } from 'fovea-onednn'
import { engineWithoutAddon } from '../engines.js'
import { createOutput } from '../output.js'
import { writeStderr } from '../stdout.js'

interface SetupOptions {
  readonly build?: true
  readonly json?: true
}

export function setupCommand(): Command {
  return new Command('setup')
    .description('say which engine is ready and why; build the native one where no package fits this machine')
    .option('--build', 'build it on this machine even if it is ready, or bring that build up to date')
    .option('--json', 'print JSON')
    .action(run)
}

async function run({ build, json }: SetupOptions): Promise<void> {
  const output = createOutput(json === true, { leavesFiles: true })
  const before = build ? undefined : askEngine()
  // Who names an addon does not want another one.
  const builds = before === undefined || !(before.available || process.env['FOVEA_ONEDNN_ADDON'])
  if (builds) output.say('building the native engine, which takes some minutes where nothing is built yet')
  const buildProblem = builds ? buildAddon() : undefined
  const status = builds || before === undefined ? askEngine() : before
  if (!status.available) {
    const problem =
      buildProblem === undefined ? status.detail : `${withoutSetup(status)}; it cannot be built here: ${buildProblem}`
    const { engine, problem: damage } = engineWithoutAddon()
    const problems = damage === undefined ? problem : `${problem}; ${damage}`
    output.result({ engine: engine.name, detail: engine.description, problem: problems })
    throw new EngineError(
      damage === undefined
        ? `only the engine in WebAssembly is ready: every command runs on it meanwhile, more slowly. No native engine: ${problems}`
        : `only the reference engine is ready, hundreds of times slower: ${problems}`,
    )
  }
  const { detail, addon } = status
  output.result({ engine: 'onednn', detail, ...addon, ...(buildProblem === undefined ? {} : { buildProblem }) })
  output.say(`engine: ${detail}`)
  output.say(`addon:  ${addon.path} (${addon.source})`)
  for (const passedOver of addon.passedOver) output.warn(passedOver)
  if (buildProblem !== undefined) throw new EngineError(`not built: ${buildProblem}`)
}

/** What is wrong, and what to do unless that is this command. */
const withoutSetup = ({ detail, problem, command }: OnednnStatus & { available: false }): string =>
  command?.startsWith('npm install') ? detail : problem

/** Asks in a process of its own, so that an addon which crashes can do no harm here. */
function askEngine(): OnednnStatus {
  const script = `
    const { onednnStatus } = await import(${JSON.stringify(import.meta.resolve('fovea-onednn'))})
    let status
    try {
      status = onednnStatus()
    } catch (error) {
      status = { available: false, detail: error.message, problem: error.message }
    }
    console.log(JSON.stringify(status))`
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as OnednnStatus
  const problem = signal ? `the native engine crashes (${signal})` : `the native engine does not load: ${stderr.trim()}`
  return { available: false, detail: problem, problem }
}

/** @returns why it cannot be built, or nothing; what a compiler says at length goes to stderr */
function buildAddon(): string | undefined {
  const { status, stderr } = spawnSync(process.execPath, [buildScript], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (status === 0) return undefined
  const [first = 'no message', ...rest] = stderr.trim().split('\n')
  if (rest.length === 0) return first
  writeStderr(stderr)
  return first.endsWith(':') ? `${first} ${rest[0]}` : first
}
