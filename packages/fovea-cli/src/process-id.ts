/** @file Whether a process is still there: what a process that was killed leaves behind is known by its process id. */

/** Also for processes of other users. Another process may have got the id since. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, but is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
