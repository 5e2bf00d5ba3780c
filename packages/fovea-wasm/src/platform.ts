/** @file What Node and a page each have in their own way: files, processors, workers. Nothing of Node's is loaded by a page. */
import { type FromWorker, type ToWorker, type WorkerStart, workerText } from './worker-text.js'

interface Builtins {
  'node:fs': typeof import('node:fs')
  'node:os': typeof import('node:os')
  'node:worker_threads': typeof import('node:worker_threads')
}

/** A module of Node's own; undefined in a page. */
export const builtin = <N extends keyof Builtins>(name: N): Builtins[N] | undefined =>
  (globalThis.process?.getBuiltinModule as ((name: N) => Builtins[N] | undefined) | undefined)?.(name)

/** The part of a page that this package uses; Node's types have it otherwise, or not. */
interface Page {
  readonly crossOriginIsolated?: boolean
  readonly navigator?: { readonly hardwareConcurrency?: number }
  readonly MessageChannel: new () => {
    readonly port1: { onmessage: (() => void) | null; close(): void }
    readonly port2: { postMessage(message: undefined): void }
  }
  readonly Worker: new (
    url: string,
    options: { readonly name: string },
  ) => {
    onmessage: ((event: { readonly data: FromWorker }) => void) | null
    onerror: ((event: { readonly message?: string }) => void) | null
    postMessage(message: WorkerStart | ToWorker): void
    terminate(): void
  }
}
const page = globalThis as unknown as Page

/** How many threads can run at the same time here: in a page that is not cross-origin isolated none can share memory with another. */
export function processors(): number {
  const os = builtin('node:os')
  if (os !== undefined) return os.availableParallelism()
  return page.crossOriginIsolated === true ? (page.navigator?.hardwareConcurrency ?? 1) : 1
}

/** Whether workers can be given the memory of who starts them. */
export const sharesMemory = (): boolean => builtin('node:os') !== undefined || page.crossOriginIsolated === true

/** After what waits already: what is shown, what was clicked. Timers would wait for milliseconds. */
export const nextTask = (): Promise<void> =>
  new Promise(resolve => {
    const { port1, port2 } = new page.MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })

/** A thread: it runs `workerText`. */
export interface TeamWorker {
  post(message: ToWorker): void
  /** Whether it keeps a process of Node's alive. */
  holdProcess(holds: boolean): void
  terminate(): void
}

/** Starts a thread. @param heard is called with what it says, or why it failed */
export function startWorker(start: WorkerStart, heard: (message: FromWorker) => void): TeamWorker {
  const name = `fovea-wasm ${start.number}`
  const threads = builtin('node:worker_threads')
  if (threads !== undefined) {
    const worker = new threads.Worker(workerText.node, { eval: true, workerData: start, name })
    worker.on('message', heard)
    worker.on('error', error => heard({ problem: error.message }))
    worker.unref()
    return {
      post: message => worker.postMessage(message),
      holdProcess: holds => (holds ? worker.ref() : worker.unref()),
      terminate: () => void worker.terminate(),
    }
  }
  const url = URL.createObjectURL(new Blob([workerText.page], { type: 'text/javascript' }))
  const worker = new page.Worker(url, { name })
  worker.onmessage = ({ data }) => heard(data)
  worker.onerror = ({ message = 'a worker could not be started' }) => heard({ problem: message })
  worker.postMessage(start)
  return { post: message => worker.postMessage(message), holdProcess: () => {}, terminate: () => worker.terminate() }
}
