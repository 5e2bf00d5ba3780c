/** @file Claims about processes that are named so that a later one of the same number is not taken for them. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { isAlive, ownProcess, PROCESS } from '../src/process-id.js'

test('a process that runs is alive, one that ended is not, nor is what names none', () => {
  expect(ownProcess()).toMatch(new RegExp(`^${process.pid}\\b`))
  expect(ownProcess()).toMatch(new RegExp(`^${PROCESS.source}$`))
  expect(ownProcess()).toBe(ownProcess())
  expect(isAlive(ownProcess())).toBe(true)
  expect(isAlive(String(process.ppid))).toBe(true)
  expect(isAlive(String(spawnSync(process.execPath, ['-e', '']).pid))).toBe(false)
  for (const none of ['', '0', '-1', 'nonsense', '999999999999999999']) expect(isAlive(none)).toBe(false)
})

test.skipIf(process.platform === 'win32')('a number that was given to another process since is not alive', () => {
  expect(isAlive(`${process.ppid}@1`)).toBe(false)
  expect(isAlive(`${process.pid}@1`)).toBe(false)
})

test.runIf(process.platform === 'linux')('nor is a process that was killed and that its parent forgot', async () => {
  // The shell becomes another program, which does not know that it has a child.
  const parent = spawn('sh', ['-c', "sh -c 'echo $$' & exec sleep 1000"], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(parent.stdout, 'data')
  const pid = String(line).trim()
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))) await sleep(5)
  expect(isAlive(pid)).toBe(false)
  parent.kill('SIGKILL')
})
