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
export interface ToWorker {
  readonly plan: number
  readonly refresh: boolean
}

/** The end of a run, from number 0; or, from any, why it failed. */
export interface FromWorker {
  readonly problem?: string
}

/** (start: WorkerStart, say: (message: FromWorker) => void) => (message: ToWorker) => void */
const work = `({ module, memory, number, stack }, say) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  return ({ plan, refresh }) => {
    exports.__stack_pointer.value = stack
    try {
      if (number === 0) exports.run(plan, refresh)
      else exports.join_team(number)
      if (number === 0) say({})
    } catch (error) {
      say({ problem: error.message })
    }
  }
}`

/** In a page, the first message is what it is started with; the text has been read by then, so its address can go. */
export const workerText = {
  node: `
const { parentPort, workerData } = require('node:worker_threads')
parentPort.on('message', (${work})(workerData, message => parentPort.postMessage(message)))
`,
  page: `
URL.revokeObjectURL(location.href)
onmessage = ({ data }) => {
  const run = (${work})(data, message => postMessage(message))
  onmessage = ({ data }) => run(data)
}
`,
} as const
