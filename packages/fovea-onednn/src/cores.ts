/** @file How many physical cores this process may use: two threads of one core have one set of multipliers between them. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

let known: number | undefined

/** Respects the affinity of the process, as it is when this is first called, and a control group's quota; at least 1. */
export function allowedCores(): number {
  known ??= countCores()
  return known
}

function countCores(): number {
  const processors = availableParallelism()
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(read('/proc/self/status'))?.[1]
  const cores = new Set(
    parseList(list ?? '').map(cpu => read(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`).trim()),
  )
  cores.delete('')
  return Math.max(1, Math.min(processors, cores.size || processors, quota()))
}

/** Processors that a control group grants, rounded up. */
function quota(): number {
  const [limit, period] = read('/sys/fs/cgroup/cpu.max').split(/\s+/).map(Number)
  return limit > 0 && period > 0 ? Math.ceil(limit / period) : Number.POSITIVE_INFINITY
}

/** '0-2,5' as [0, 1, 2, 5]. */
export function parseList(text: string): number[] {
  return text
    .split(',')
    .filter(part => /^\d+(-\d+)?$/.test(part))
    .flatMap(part => {
      const [first, last = first] = part.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    })
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // Not Linux, or not readable: then it does not limit either.
  }
}
