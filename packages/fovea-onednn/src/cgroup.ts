/**
 * @file How much processor time the control groups of this process grant, as Linux's files tell: of version 2 (cpu.max) and
 * of version 1 (cpu.cfs_quota_us), which older systems and many containers have. A limit of a group above holds as well.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Processors that this process may keep busy, a fraction perhaps; infinity where nothing limits it.
 * @param root where /proc and /sys lie; for tests
 */
export function grantedProcessors(root = '/'): number {
  const groups = readText(join(root, 'proc/self/cgroup')).split('\n').map(groupOf)
  const limits = readText(join(root, 'proc/self/mountinfo'))
    .split('\n')
    .flatMap(line => hierarchyOf(line) ?? [])
    .flatMap(hierarchy => {
      const group = groups.find(({ controllers }) => controllers.includes(hierarchy.controller))
      return group === undefined
        ? []
        : foldersOf(hierarchy, group.path).map(folder => hierarchy.limit(join(root, folder)))
    })
  return Math.min(...limits)
}

/** Of a line `number:controllers:path`. Version 2 has one group for all controllers, and names none. */
function groupOf(line: string): { readonly controllers: readonly string[]; readonly path: string } {
  const [, controllers = '', ...path] = line.split(':')
  return { controllers: controllers.split(','), path: path.join(':') }
}

/** Where a tree of groups is mounted, and which part of it. */
interface Hierarchy {
  /** '' in version 2. */
  readonly controller: '' | 'cpu'
  /** The group that is found at the mount point. */
  readonly top: string
  readonly mountPoint: string
  limit(folder: string): number
}

/** Of a line of mountinfo (proc_pid_mountinfo(5)); undefined for all that holds no processor's limits. */
function hierarchyOf(line: string): Hierarchy | undefined {
  const [mount, file = ''] = line.split(' - ')
  const [, , , top, mountPoint] = mount.split(' ').map(unescaped)
  const [type, , options = ''] = file.split(' ')
  if (type === 'cgroup2') return { controller: '', top, mountPoint, limit: limitOfVersion2 }
  if (type !== 'cgroup' || !options.split(',').includes('cpu')) return undefined
  return { controller: 'cpu', top, mountPoint, limit: limitOfVersion1 }
}

/** Blanks and the like are written as octal numbers. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))

/** The folders of a group and of those above it, as far as they are mounted. */
function foldersOf({ top, mountPoint }: Hierarchy, path: string): string[] {
  const prefix = top === '/' ? '' : top
  // A container may see a part of the tree that does not hold the path: then its own group is at the mount point.
  const within = path === prefix || path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : ''
  const folders: string[] = []
  for (let below = join('/', within); ; below = dirname(below)) {
    folders.push(join(mountPoint, below))
    if (below === '/') return folders
  }
}

/** '150000 100000', or 'max 100000' without a limit. */
function limitOfVersion2(folder: string): number {
  const [quota, period] = readText(join(folder, 'cpu.max')).split(/\s+/).map(Number)
  return ratio(quota, period)
}

/** A quota of -1 is no limit. */
function limitOfVersion1(folder: string): number {
  const numberIn = (name: string): number => Number(readText(join(folder, name)).trim())
  return ratio(numberIn('cpu.cfs_quota_us'), numberIn('cpu.cfs_period_us'))
}

const ratio = (quota: number, period: number): number =>
  quota > 0 && period > 0 ? quota / period : Number.POSITIVE_INFINITY

/** '' where there is no such file: not Linux, or not readable; then it does not limit either. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
