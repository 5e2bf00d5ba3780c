/** @file What a worker of a team runs, as text: so it needs no file of its own, whatever bundles this package. */

/** What a worker is started with. */
export interface WorkerStart {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly number: number
  /** Where its stack begins; it grows downwards. */
  readonly stack: number
}

/** A run: the address of a plan, and whether state was written. */
export type ToWorker = WorkerStart | { readonly plan: number; readonly refresh: boolean }

/** The end of a run, from number 0; or, from any, why it failed. */
export interface FromWorker {
  readonly problem?: string
}

export const workerText = `
const { parentPort, workerData } = require('node:worker_threads')
const { module, memory, number, stack } = workerData
const { exports } = new WebAssembly.Instance(module, { env: { memory } })
parentPort.on('message', ({ plan, refresh }) => {
  exports.__stack_pointer.value = stack
  try {
    if (number === 0) exports.run(plan, refresh)
    else exports.join_team(number)
    if (number === 0) parentPort.postMessage({})
  } catch (error) {
    parentPort.postMessage({ problem: error.message })
  }
})
`
