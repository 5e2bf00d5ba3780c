/** @file A long run keeps the memory of its process flat: steps, batches of the worker, evaluations, checkpoints and log. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { colorFolder, fovea, preload, temporaryFolder } from './run-fovea.js'

/** What the process may grow by in half of the run: garbage that is collected late. Checkpoints that stayed would be 110 MiB. */
const toleranceBytes = 24 * 2 ** 20
const epochs = 60

/** Of a process; undefined where the system does not tell, or of one that has ended. */
function residentBytes(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : 1024 * Number(kilobytes)
  } catch {
    return undefined
  }
}

test.runIf(residentBytes(process.pid) !== undefined)(
  'memory is flat over a long run that saves after every step',
  async () => {
    const photos = await colorFolder({ train: 16, val: 8 })
    const out = join(temporaryFolder(), 'run')
    // Garbage that is collected late would count as growth.
    const env = preload(`
    import { setFlagsFromString } from 'node:v8'
    import { runInNewContext } from 'node:vm'
    setFlagsFromString('--expose-gc')
    setInterval(runInNewContext('gc'), 200).unref()`)
    const resident: number[] = []
    const finished = await fovea(
      [
        ...['train', 'resnet8', '--data', photos, '--epochs', String(epochs), '--batch', '8', '--threads', '1'],
        ...['--save-seconds', '0', '--out', out, '--json'],
      ],
      {
        env,
        started: child =>
          child.stdout?.on('data', text => {
            const bytes = residentBytes(child.pid)
            if (bytes !== undefined && String(text).includes('"epoch"')) resident.push(bytes)
          }),
      },
    )
    expect(finished.code, finished.stderr).toBe(0)
    expect(resident.length).toBeGreaterThan(10)
    const most = (from: number, to: number): number =>
      Math.max(...resident.slice(resident.length * from, resident.length * to))
    expect(most(0.75, 1) - most(0.25, 0.5)).toBeLessThan(toleranceBytes)
  },
)
