/** @file How many physical cores this process may use: two threads of one core have one set of multipliers between them. */
import { availableParallelism } from 'node:os'
import { grantedProcessors, readText } from './cgroup.js'

let known: number | undefined

/** Respects the affinity of the process, as it is when this is first called, and the quotas of its control groups, rounded up; at least 1. */
export function allowedCores(): number {
  known ??= countCores()
  return known
}

function countCores(): number {
  const processors = availableParallelism()
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readText('/proc/self/status'))?.[1]
  const cores = new Set(
    parseList(list ?? '').map(cpu =>
      readText(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`).trim(),
    ),
  )
  cores.delete('')
  return Math.max(1, Math.min(processors, cores.size || processors, Math.ceil(grantedProcessors())))
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
