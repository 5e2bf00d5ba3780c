/**
 * @file Whether a process is still there: what one that was killed leaves behind is known by its number and, because
 * systems give numbers out again, by when it started.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Of this process: `1234@5678`, its number and when it started, or `1234` where the system does not tell. */
export function ownProcess(): string {
  const { start } = lookUp(process.pid)
  return start === undefined ? String(process.pid) : `${process.pid}@${start}`
}

/** What `ownProcess` gives, to be found in names and texts. */
export const PROCESS = /[1-9]\d*(?:@\w+)?/

/** Also for processes of other users. Without a start, another process that has got the number since is taken for it. */
export function isAlive(name: string): boolean {
  const [number, start] = name.split('@')
  const pid = Number(number)
  if (!Number.isSafeInteger(pid) || pid < 1) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, but is another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = lookUp(pid)
  return !now.isDead && (start === undefined || now.start === undefined || start === now.start)
}

/** What the system says of a number that it has given out. */
function lookUp(pid: number): { readonly start?: string; readonly isDead: boolean } {
  try {
    if (process.platform === 'linux') {
      // The second field is the program's name, in brackets, and may hold anything; then the state, …, the start (22nd).
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, '').trim().split(' ')
      return { start: fields[19], isDead: isDead(fields[0]) }
    }
    if (process.platform !== 'win32') {
      const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
      const args = ['-o', 'state=', '-o', 'lstart=', '-p', String(pid)]
      const text = execFileSync('ps', args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] })
      const [state, ...start] = text.trim().split(/\W+/)
      return { start: start.join('_'), isDead: isDead(state) }
    }
  } catch {
    // No /proc, no ps, or no permission to look: the number has to do.
  }
  return { isDead: false }
}

/** A process that was killed keeps its number until its parent has asked for its end, which some never do. */
const isDead = (state: string): boolean => /^[ZX]/.test(state)
