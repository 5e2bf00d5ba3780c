/** @file Packs this checkout as it is published, installs the packed files in an empty folder, and runs what npm puts there. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { onednnStatus } from 'fovea-onednn'
import { temporaryFolder } from './run-fovea.js'

const root = join(import.meta.dirname, '../../..')

/** Why this machine cannot pack, or nothing. */
export const cannotPack = ((): string | undefined => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the prebuilt package is for Linux on x64'
  if (!onednnStatus().available) return 'the native engine is not built'
  if (process.env['FOVEA_ONEDNN_ROOT'] || existsSync(join(root, '.deps/onednn/usr/include'))) {
    return "oneDNN is no package of the system's: apt-get install libdnnl-dev"
  }
  return undefined
})()

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** @returns the folder with the packages installed, and what scripts/try-package.mjs said, which trains there */
export async function installPacked(): Promise<{ readonly folder: string; readonly tried: Finished }> {
  const packed = join(temporaryFolder(), 'packed')
  const folder = temporaryFolder()
  const script = (name: string) => join(root, 'scripts', name)
  const made = await run(process.execPath, [script('package.mjs'), '--to', packed, '--dependencies', '--local'])
  if (made.code !== 0) throw new Error(made.stderr)
  return { folder, tried: await run(process.execPath, [script('try-package.mjs'), packed, '--in', folder]) }
}

/** `npx fovea …args` in a folder. */
export const npxFovea = (folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run('npx', ['fovea', ...args], { cwd: folder, env: { ...process.env, ...env } })

function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  return new Promise<Finished>((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const printed = { stdout: '', stderr: '' }
    child.stdout.on('data', text => {
      printed.stdout += text
    })
    child.stderr.on('data', text => {
      printed.stderr += text
    })
    child.on('error', reject)
    child.on('close', code => resolve({ code, ...printed }))
  })
}
