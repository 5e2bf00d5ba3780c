/** @file Claims about the processors that control groups grant, on folders as Linux shows them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { grantedProcessors } from '../src/cgroup.js'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fovea-cgroup-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const v1 = (folder: string, quota: number, period = 100_000) => ({
  [`sys/fs/cgroup/${folder}/cpu.cfs_quota_us`]: `${quota}\n`,
  [`sys/fs/cgroup/${folder}/cpu.cfs_period_us`]: `${period}\n`,
})
const v2 = (folder: string, limit: string) => ({ [`sys/fs/cgroup/${folder}/cpu.max`]: `${limit}\n` })
/** A line of mountinfo for the controller `cpu` of version 1, which shows the group `top` and those below it. */
const mount1 = (top = '/', at = 'cpu,cpuacct') =>
  `33 24 0:28 ${top} /sys/fs/cgroup/${at} rw,nosuid shared:14 - cgroup cgroup rw,cpu,cpuacct\n`
const mount2 = (top = '/', at = '') => `24 18 0:22 ${top} /sys/fs/cgroup${at} rw - cgroup2 cgroup2 rw,nsdelegate\n`
const others = '18 1 8:1 / / rw - ext4 /dev/sda1 rw\n34 24 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n'

test.each<[string, { groups: string; mounts: string; files?: Record<string, string> }, number]>([
  ['nothing where there are no such files', { groups: '', mounts: '' }, Number.POSITIVE_INFINITY],
  [
    'version 2: the group of the process',
    { groups: '0::/user/work', mounts: mount2(), files: v2('user/work', '150000 100000') },
    1.5,
  ],
  [
    'version 2: a container that sees its own group as the root',
    { groups: '0::/', mounts: mount2(), files: v2('', '200000 100000') },
    2,
  ],
  ['version 2: no limit', { groups: '0::/', mounts: mount2(), files: v2('', 'max 100000') }, Number.POSITIVE_INFINITY],
  [
    'version 2: the least of nested limits',
    {
      groups: '0::/a/b/c',
      mounts: mount2(),
      files: { ...v2('a/b/c', 'max 100000'), ...v2('a/b', '400000 100000'), ...v2('a', '300000 100000') },
    },
    3,
  ],
  [
    'version 2: not the limit of another group',
    { groups: '0::/a', mounts: mount2(), files: { ...v2('a', 'max 100000'), ...v2('b', '100000 100000') } },
    Number.POSITIVE_INFINITY,
  ],
  [
    'version 1: the group of the process',
    { groups: '5:cpuset:/x\n4:cpu,cpuacct:/work', mounts: others + mount1(), files: v1('cpu,cpuacct/work', 250_000) },
    2.5,
  ],
  ['version 1: another period', { groups: '4:cpu:/', mounts: mount1('/', 'cpu'), files: v1('cpu', 20_000, 10_000) }, 2],
  [
    'version 1: a quota of -1 is no limit',
    { groups: '4:cpu,cpuacct:/', mounts: mount1(), files: v1('cpu,cpuacct', -1) },
    Number.POSITIVE_INFINITY,
  ],
  [
    "version 1: a container that is told its group's path on the host, and sees it as the root",
    { groups: '4:cpu,cpuacct:/docker/4f1', mounts: mount1('/docker/4f1'), files: v1('cpu,cpuacct', 100_000) },
    1,
  ],
  [
    'version 1: a group within the part of the tree that a container sees',
    {
      groups: '4:cpu,cpuacct:/docker/4f1/build',
      mounts: mount1('/docker/4f1'),
      files: { ...v1('cpu,cpuacct/build', 300_000), ...v1('cpu,cpuacct', 700_000) },
    },
    3,
  ],
  [
    'version 1: a part of the tree that does not hold the path',
    { groups: '4:cpu,cpuacct:/elsewhere', mounts: mount1('/docker/4f1'), files: v1('cpu,cpuacct', 500_000) },
    5,
  ],
  [
    'version 1: the least of nested limits',
    {
      groups: '4:cpu,cpuacct:/a/b',
      mounts: mount1(),
      files: { ...v1('cpu,cpuacct/a/b', 800_000), ...v1('cpu,cpuacct/a', 400_000), ...v1('cpu,cpuacct', -1) },
    },
    4,
  ],
  [
    'both: version 1 holds the processor, version 2 is mounted beside it',
    {
      groups: '4:cpu,cpuacct:/a\n0::/a',
      mounts: mount1() + mount2('/', '/unified'),
      files: { ...v1('cpu,cpuacct/a', 600_000), 'sys/fs/cgroup/unified/a/cgroup.procs': '1\n' },
    },
    6,
  ],
  [
    'a folder with a blank, and a group with a colon',
    { groups: '0::/a:b', mounts: mount2('/', '/my\\040groups'), files: v2('my groups/a:b', '100000 200000') },
    0.5,
  ],
])('%s', (_, { groups, mounts, files = {} }, processors) => {
  for (const [path, text] of Object.entries({
    'proc/self/cgroup': `${groups}\n`,
    'proc/self/mountinfo': mounts,
    ...files,
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  expect(grantedProcessors(root)).toBe(processors)
})
