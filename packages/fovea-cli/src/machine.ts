/** @file What a run ran on: versions and machine, for its record. Nothing that tells whose machine it is. */
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import type { Engine } from 'fovea'

/** The version of this package, which is that of all of Fovea. */
export const foveaVersion = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version

/** The versions that can change a run's bits. */
export const softwareOf = (engine: Engine) => ({
  fovea: foveaVersion(),
  node: process.versions.node,
  /** With its own version and instruction set. */
  engine: engine.description,
})

/** The machine, and how much of it a run uses. */
export const machineOf = (engine: Engine) => ({
  // Some systems do not say.
  processor: cpus()[0]?.model.trim() || 'unknown',
  threads: engine.threads,
  memoryBytes: totalmem(),
  platform: process.platform,
  architecture: process.arch,
})
